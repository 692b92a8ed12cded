import { Server } from 'node:net'
import { type Guard, listeningOn } from '@sendfail/core'

/**
 * What the servers of this thread listen on: those Node has an open handle for, and those that accepted a connection (a
 * worker of a cluster has no handle of its own). uWebSockets.js is not seen: `publishStatus` can be told.
 */
export class Listening {
  readonly #told: readonly string[]
  readonly #own: Server
  readonly #accepting: Set<Server> = new Set()

  constructor(told: readonly string[], own: Server) {
    this.#told = told
    this.#own = own
  }

  /** A connection was wrapped: the server it came from listens. */
  accepted(guard: Guard): void {
    const server = guard.transport.acceptedBy(guard.socket)
    if (server !== null) this.#accepting.add(server)
  }

  now(): string[] {
    const found = new Set(this.#told)
    for (const server of this.#accepting) if (!server.listening) this.#accepting.delete(server)
    for (const server of [...serversWithHandle(), ...this.#accepting]) {
      const address = server === this.#own ? null : listeningOn(server)
      if (address !== null) found.add(address)
    }
    return [...found].sort()
  }
}

/** There is no documented way; without this one the list is shorter. */
function serversWithHandle(): Server[] {
  const { _getActiveHandles: handles } = process as { _getActiveHandles?: () => unknown[] }
  if (typeof handles !== 'function') return []
  return handles.call(process).filter((handle) => handle instanceof Server)
}
