import type { ClosedRow, ConnectionRow } from './answers.ts'
import type { Thread } from './gather.ts'

/** A live connection with what a list shows of it. */
export interface Listed extends ConnectionRow {
  readonly pid: number
  readonly name: string
  /** The connection's number among all processes: `<pid>.<id>`, of another thread `<pid>.<thread>.<id>`. */
  readonly key: string
  readonly ageMs: number
  /** Bytes a second, over {@link overMs}. */
  readonly outBytesPerSecond: number
  readonly inBytesPerSecond: number | null
  /** The time the two rates are about: since the last refresh, or its whole life. */
  readonly overMs: number
}

/** One that has closed. */
export interface ListedClosed extends ClosedRow {
  readonly pid: number
  readonly name: string
  readonly key: string
  readonly ageMs: number
}

/** What the last refresh knew of each connection. */
export type Before = ReadonlyMap<
  string,
  { readonly atMs: number; readonly sent: number; readonly received: number }
>

export function listedOf(threads: readonly Thread<ConnectionRow>[], before: Before = new Map()): Listed[] {
  return threads.flatMap((thread) => {
    const atMs = thread.head?.atMs ?? 0
    return thread.rows.map((row): Listed => {
      const key = keyOf(thread, row.id)
      const ageMs = Math.max(0, atMs - row.openedAtMs)
      const then = before.get(key)
      const overMs = Math.max(1, then === undefined ? ageMs : atMs - then.atMs)
      const aSecond = (now: number, earlier = 0) => (Math.max(0, now - earlier) * 1000) / overMs
      return {
        ...row,
        pid: thread.pid,
        name: thread.name,
        key,
        ageMs,
        overMs,
        outBytesPerSecond: aSecond(row.sentBytes, then?.sent),
        inBytesPerSecond: row.receivedBytes === null ? null : aSecond(row.receivedBytes, then?.received),
      }
    })
  })
}

/** To be compared with at the next refresh. */
export function remember(threads: readonly Thread<ConnectionRow>[]): Before {
  const known = new Map<string, { atMs: number; sent: number; received: number }>()
  for (const thread of threads) {
    const atMs = thread.head?.atMs ?? 0
    for (const { id, receivedBytes, sentBytes } of thread.rows)
      known.set(keyOf(thread, id), { atMs, sent: sentBytes, received: receivedBytes ?? 0 })
  }
  return known
}

export function listedClosedOf(threads: readonly Thread<ClosedRow>[]): ListedClosed[] {
  return threads.flatMap((thread) =>
    thread.rows.map((row): ListedClosed => {
      const ageMs = Math.max(0, (thread.head?.atMs ?? 0) - row.closedAtMs)
      return { ...row, pid: thread.pid, name: thread.name, key: keyOf(thread, row.id), ageMs }
    }),
  )
}

function keyOf({ pid, publisher }: Pick<Thread, 'pid' | 'publisher'>, id: number): string {
  const thread = publisher?.threadId ?? 0
  return thread === 0 ? `${pid}.${id}` : `${pid}.${thread}.${id}`
}

/** The parts of a key; `null` if it is none. */
export function readKey(key: string): { pid: number; threadId: number; id: number } | null {
  const [, pid, thread, id] = /^([1-9]\d{0,9})\.(?:(\d{1,9})\.)?([1-9]\d{0,15})$/.exec(key) ?? []
  return pid === undefined ? null : { pid: Number(pid), threadId: Number(thread ?? 0), id: Number(id) }
}
