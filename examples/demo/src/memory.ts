import type { Production } from './production.ts'

/** Memory of one server process, in bytes. */
export interface Memory {
  /** Waiting in the process for clients that are connected: what Node and ws say they hold. */
  readonly heldBytes: number
  /** Resident memory of the whole process, as the operating system counts it. */
  readonly rssBytes: number
}

export function readMemory(production: Production): Memory {
  // ws counts what is sent to a closed WebSocket as buffered for ever, although it is gone.
  const connected = production.all.filter(({ client }) => client.goneAtMs === null)
  const heldBytes = connected.reduce((sum, { client }) => sum + client.heldBytes(), 0)
  return { heldBytes, rssBytes: process.memoryUsage.rss() }
}

/** What one process used in the course of the run. */
export class MemoryTrail {
  /** Before the first message. */
  start: Memory = { heldBytes: 0, rssBytes: 0 }
  latest: Memory = this.start
  /** The most that was waiting at any look. */
  mostHeldBytes = 0
  #looks = 0

  add(memory: Memory): void {
    if (this.#looks++ === 0) this.start = memory
    this.latest = memory
    this.mostHeldBytes = Math.max(this.mostHeldBytes, memory.heldBytes)
  }
}
