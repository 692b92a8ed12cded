import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { kindOf, type Process } from './processes.ts'

/** The counts of all processes at one moment; the next look is compared with it. */
const schema = z.object({
  atMs: z.number(),
  processes: z.record(
    z.string(),
    z.object({ sent: z.number(), failed: z.number(), failures: z.record(z.string(), z.number()) }),
  ),
})

export type Look = z.infer<typeof schema>
type Counts = Look['processes'][string]

/** An older one says nothing of today. */
const DAY_MS = 24 * 60 * 60 * 1000

export function lookAt(processes: readonly Process[], atMs: number): Look {
  const counts = (one: Process): Counts => ({
    sent: one.sent,
    failed: one.failed,
    failures: Object.fromEntries(one.failures.map((failure) => [kindOf(failure), failure.count])),
  })
  return { atMs, processes: Object.fromEntries(processes.map((one) => [keyOf(one), counts(one)])) }
}

/** A number is used again by the system, but not with the same start. */
function keyOf({ pid, startedAtMs }: Process): string {
  return `${pid} ${startedAtMs}`
}

/** What changed since a look, of one process. Without that look: since it started. */
export interface Change {
  readonly overMs: number
  readonly sinceLook: boolean
  /** Failed messages more. */
  failed(kind?: string): number
}

export function changeOf(process: Process, last: Look | null, nowMs: number): Change {
  const before = last?.processes[keyOf(process)]
  const sinceLook = before !== undefined && last !== null && nowMs > last.atMs
  const beganMs = sinceLook ? last.atMs : (process.startedAtMs ?? nowMs)
  return {
    overMs: Math.max(1, nowMs - beganMs),
    sinceLook,
    failed(kind) {
      const count = kind === undefined ? process.failed : countOf(process, kind)
      const then = kind === undefined ? before?.failed : before?.failures[kind]
      return Math.max(0, count - (sinceLook ? (then ?? 0) : 0))
    },
  }
}

function countOf({ failures }: Process, kind: string): number {
  return failures.find((failure) => kindOf(failure) === kind)?.count ?? 0
}

const FILE = 'last-look'

/** The last look of this user; `null` if there is none of today. */
export function readLook(directory: string, nowMs: number): Look | null {
  try {
    const look = schema.parse(JSON.parse(readFileSync(join(directory, FILE), 'utf8')))
    return nowMs - look.atMs < DAY_MS && look.atMs <= nowMs ? look : null
  } catch {
    return null // none, or nothing that can be read: the next one replaces it
  }
}

export function writeLook(directory: string, look: Look): void {
  const path = join(directory, FILE)
  const draft = `${path}.${process.pid}`
  try {
    writeFileSync(draft, JSON.stringify(look), { mode: 0o600 })
    renameSync(draft, path)
  } catch {
    // a full disk: the next look has nothing to compare with, this one has all it shows
  }
}
