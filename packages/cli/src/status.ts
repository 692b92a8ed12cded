import { type Guard, type Registry, snapshot } from '@sendfail/core'
import type { Connections } from './connections.ts'
import type { SlowFacts, StalledFacts, ThreadStatus } from './protocol.ts'

/** The books of this thread, with what its slow and stalled receivers do. */
export function threadStatus(
  registry: Registry,
  connections: Connections,
  listening: readonly string[],
): ThreadStatus {
  const { connections: states, ...books } = snapshot()
  return {
    ...books,
    connections: states,
    uptimeMs: Math.round(process.uptime() * 1000),
    rssBytes: process.memoryUsage.rss(),
    listening,
    ...receivers(registry, connections),
  }
}

function receivers(
  registry: Registry,
  { lastSlow }: Connections,
): { slow: SlowFacts | null; stalled: StalledFacts } {
  const nowMs = registry.now()
  const slow = { connections: 0, productionBytesPerSecond: 0, drainBytesPerSecond: 0, atMs: Date.now() }
  const stalled = { connections: 0, longestMs: 0 }
  for (const followed of registry.backlogged) {
    const state = followed.state(nowMs)
    if (state !== 'slow' && state !== 'stalled') continue
    const backlog = (followed as Guard).backlogStatus(nowMs)
    if (backlog === null) continue
    if (state === 'stalled') {
      stalled.connections++
      stalled.longestMs = Math.max(stalled.longestMs, backlog.idleMs)
    } else {
      slow.connections++
      slow.productionBytesPerSecond += backlog.productionBytesPerSecond
      slow.drainBytesPerSecond += backlog.drainBytesPerSecond
    }
  }
  return { slow: slow.connections > 0 ? slow : lastSlow, stalled }
}
