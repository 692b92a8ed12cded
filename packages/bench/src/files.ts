/** File descriptors a process needs besides its connections. */
export const SPARE_FILES = 100

/** How many files this process may have open. */
export function openFileLimit(): number {
  const report = process.report?.getReport() as { userLimits?: { open_files?: { soft?: number | string } } }
  const soft = Number(report.userLimits?.open_files?.soft)
  return Number.isNaN(soft) ? Number.POSITIVE_INFINITY : soft
}
