import type { Failure, ThreadStatus } from './answers.ts'
import type { Thread, ThreadState } from './gather.ts'

/** The numbers of a process that are added up. */
const SUMS = [
  'attempted',
  'sent',
  'failed',
  'pending',
  'pendingBytes',
  'limitBytes',
  'fullCount',
  'overLimit',
] as const
const STATES = ['ok', 'burst', 'slow', 'stalled'] as const

type Sums = Record<(typeof SUMS)[number], number>
export type Connections = Record<(typeof STATES)[number], number>

/** One process with all its threads. What did not answer counts nothing. */
export interface Process extends Sums {
  readonly pid: number
  readonly name: string
  /** `ok` only if every thread answered. */
  readonly state: ThreadState
  /** The version of the protocol it speaks. */
  readonly v: number
  readonly threads: number
  /** The primary of the cluster whose worker it is. */
  readonly primaryPid: number | null
  /** Since when it counts, in milliseconds since 1970; `null` if it did not answer. */
  readonly startedAtMs: number | null
  readonly uptimeMs: number | null
  readonly rssBytes: number | null
  readonly listening: readonly string[]
  readonly connections: Connections
  readonly failures: readonly Failure[]
  readonly slow: NonNullable<ThreadStatus['slow']> | null
  readonly stalled: ThreadStatus['stalled']
}

/** Threads are parts of their process; the workers of a cluster stand behind its primary. */
export function processesOf(threads: readonly Thread[]): Process[] {
  const byPid = new Map<number, Thread[]>()
  for (const thread of threads) byPid.set(thread.pid, [...(byPid.get(thread.pid) ?? []), thread])
  const processes = [...byPid.values()].map(processOf)
  const family = (one: Process) => one.primaryPid ?? one.pid
  return processes.sort(
    (a, b) =>
      family(a) - family(b) || Number(a.primaryPid !== null) - Number(b.primaryPid !== null) || a.pid - b.pid,
  )
}

function processOf(threads: readonly Thread[]): Process {
  const [first] = threads as [Thread, ...Thread[]]
  const answers = threads.flatMap(({ head }) => head?.status ?? [])
  const main = answers[0]
  const { cluster, startedAtMs } = threads.find(({ publisher }) => publisher !== null)?.publisher ?? {}
  return {
    ...addUp(answers),
    pid: first.pid,
    name: first.name,
    state: threads.find(({ state }) => state !== 'ok')?.state ?? 'ok',
    v: first.v,
    threads: threads.length,
    primaryPid: cluster?.role === 'worker' ? cluster.primaryPid : null,
    startedAtMs: main === undefined ? null : (startedAtMs ?? null),
    uptimeMs: main?.uptimeMs ?? null,
    rssBytes: main?.rssBytes ?? null,
  }
}

type Added = Sums & Pick<Process, 'connections' | 'failures' | 'listening' | 'slow' | 'stalled'>

/** Adds up what threads, or processes, count. */
export function addUp(parts: readonly Added[]): Added {
  const total = Object.fromEntries(
    SUMS.map((name) => [name, parts.reduce((sum, part) => sum + part[name], 0)]),
  ) as Sums
  const connections = Object.fromEntries(
    STATES.map((state) => [state, parts.reduce((sum, part) => sum + part.connections[state], 0)]),
  ) as Connections
  const failures = new Map<string, Failure>()
  for (const failure of parts.flatMap((part) => part.failures)) {
    const known = failures.get(kindOf(failure))
    const count = (known?.count ?? 0) + failure.count
    failures.set(kindOf(failure), { ...failure, count, bytes: (known?.bytes ?? 0) + failure.bytes })
  }
  return {
    ...total,
    connections,
    failures: [...failures.values()].sort((a, b) => b.count - a.count),
    listening: [...new Set(parts.flatMap((part) => part.listening))].sort(),
    slow: slowOf(parts.flatMap((part) => part.slow ?? [])),
    stalled: {
      connections: parts.reduce((sum, part) => sum + part.stalled.connections, 0),
      longestMs: Math.max(0, ...parts.map((part) => part.stalled.longestMs)),
    },
  }
}

/** Those that are slow now, together; with none, the one that was last. */
function slowOf(all: readonly NonNullable<Process['slow']>[]): Process['slow'] {
  const now = all.filter(({ connections }) => connections > 0)
  if (now.length === 0) return [...all].sort((a, b) => b.atMs - a.atMs)[0] ?? null
  return now.reduce((sum, one) => ({
    connections: sum.connections + one.connections,
    productionBytesPerSecond: sum.productionBytesPerSecond + one.productionBytesPerSecond,
    drainBytesPerSecond: sum.drainBytesPerSecond + one.drainBytesPerSecond,
    atMs: Math.max(sum.atMs, one.atMs),
  }))
}

/** One way to fail, as a word. */
export function kindOf({ reason, stage, receiver }: Pick<Failure, 'reason' | 'receiver' | 'stage'>): string {
  return [reason, receiver, stage].filter((part) => part !== null).join(' ')
}

/** How many connections hold something back. */
export function backlogged({ burst, slow, stalled }: Connections): number {
  return burst + slow + stalled
}
