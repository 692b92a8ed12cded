import { failuresIn } from '@sendfail/core'
import { type Closed, type Connections, factsOf, type Live } from './connections.ts'
import type { ClosedRow, ConnectionRow, Story } from './protocol.ts'

/** A live connection as it is now. */
export function connectionRow(connections: Connections, live: Live): ConnectionRow {
  const { guard } = live
  connections.locate(guard)
  const facts = factsOf(live, connections.epochMs(live.openedMs))
  const receiver = guard.state()
  const { limitBytes, pending, pendingBytes } = guard
  const state: ConnectionRow['state'] = pendingBytes >= limitBytes ? 'full' : receiver
  // onto the one object: a listing makes tens of thousands, and collecting them stops the server
  return Object.assign(facts, { state, receiver, pending, pendingBytes, backlog: guard.backlogStatus() })
}

/** One that has closed, with the sends that failed since. */
export function closedRow({ failures, row }: Closed): ClosedRow {
  const all = failuresIn(failures)
  const sum = (key: 'bytes' | 'count') => all.reduce((total, failure) => total + failure[key], 0)
  return { ...row, failed: sum('count'), failedBytes: sum('bytes'), failures: all }
}

/** All that is known of one connection; `null` if there is none of that number, or none any more. */
export function story(connections: Connections, id: number): Story | null {
  for (const live of connections.live.values()) {
    if (live.id !== id) continue
    const { onFull, policy } = live.guard
    return { live: connectionRow(connections, live), ...rules(onFull, policy), ...past(connections, live) }
  }
  const closed = connections.closed.find(({ row }) => row.id === id)
  if (closed === undefined) return null
  const { live, onFull, policy } = closed
  return { closed: closedRow(closed), ...rules(onFull, policy), ...past(connections, live) }
}

type Rules = Pick<
  Story,
  'admission' | 'closeAfterFullMs' | 'closeAfterStallMs' | 'onFull' | 'slowAfterMs' | 'stallAfterMs'
>

function rules(onFull: string, policy: Closed['policy']): Rules {
  const finite = (ms: number) => (Number.isFinite(ms) ? ms : null)
  return {
    onFull,
    admission: policy.admission,
    closeAfterFullMs: finite(policy.closeAfterFullMs),
    closeAfterStallMs: finite(policy.closeAfterStallMs),
    slowAfterMs: policy.slowAfterMs,
    stallAfterMs: policy.stallAfterMs,
  }
}

function past(
  connections: Connections,
  live: Pick<Live, 'forgotten' | 'moments' | 'openedMs'>,
): Pick<Story, 'forgotten' | 'moments'> {
  const opened = { atMs: connections.epochMs(live.openedMs), event: 'opened' as const, pendingBytes: 0 }
  return { forgotten: live.forgotten, moments: [opened, ...(live.moments ?? [])] }
}
