import type { EventEmitter } from 'node:events'
import type { IncomingMessage } from 'node:http'
import {
  guardServer,
  innerDoor,
  putDoor,
  type ServerHandle,
  type ServerKind,
  type ServerLimit,
  takeDoor,
  type WebSocketLike,
  wrapSocket,
  wrongType,
} from '@sendfail/core'
import './metrics.ts'

/** The part of a `WebSocketServer` of ws 8 that is used here; any copy of ws has it. */
export interface WebSocketServerLike {
  handleUpgrade(request: never, socket: never, head: never, callback: never): void
  shouldHandle(request: never): unknown
}

/** The WebSocket a server of type `V` makes. */
type SocketOf<V> = V extends { clients: Set<infer S extends WebSocketLike> } ? S : WebSocketLike

type Upgraded = (ws: WebSocketLike, request: IncomingMessage, ...rest: unknown[]) => void
type HandleUpgrade = (request: unknown, socket: unknown, head: unknown, callback: Upgraded) => void

/**
 * Guards every WebSocket that a server of ws accepts from now on, before the callback of `handleUpgrade` or a listener
 * of `'connection'` sees it: with `port`, with `server`, and with `noServer`, also when nobody emits `'connection'`.
 *
 * Called again for the same server it changes the limit of later connections and returns the same handle.
 *
 * @param limit the most bytes to hold for one peer (default 1 MiB), or options, or a function that is called once with
 * each WebSocket and its upgrade request and returns either; what it throws, or a wrong answer, becomes a process
 * warning (once) and the connection has the defaults
 * @returns a handle whose `stop()` leaves later connections bare
 * @throws {TypeError} `ERR_SEND_FAIL_SERVER` for anything else; `ERR_SEND_FAIL_LIMIT`, `ERR_SEND_FAIL_OPTION`
 * @throws {RangeError} `ERR_SEND_FAIL_LIMIT`, `ERR_SEND_FAIL_OPTION`
 */
export function wrapServer<V extends WebSocketServerLike>(
  server: V,
  limit?: ServerLimit<SocketOf<V>, [request: IncomingMessage]>,
): ServerHandle<V> {
  checkServer(server)
  return guardServer(server, limit as ServerLimit<WebSocketLike, [IncomingMessage]> | undefined, KIND)
}

/** By its shape, because any copy of ws may have made it. The server of engine.io has no `shouldHandle`. */
function checkServer(server: unknown): void {
  const { handleUpgrade, prependListener, shouldHandle } = Object(server) as Record<string, unknown>
  const methods = [handleUpgrade, prependListener, shouldHandle]
  if (methods.every((method) => typeof method === 'function')) return
  throw wrongType('ERR_SEND_FAIL_SERVER', 'server', 'a WebSocketServer of ws', server)
}

const KIND: ServerKind<WebSocketServerLike, WebSocketLike, [IncomingMessage]> = {
  check() {},
  guard: (ws, limit) => void wrapSocket(ws, limit),
  fallback: undefined,
  /**
   * Whoever upgrades a connection, ws itself or the user, calls `handleUpgrade`, whose callback is the first to see the
   * WebSocket: https://github.com/websockets/ws/blob/master/doc/ws.md#serverhandleupgraderequest-socket-head-callback
   * The event is for WebSockets that were made otherwise and are emitted by hand.
   */
  attach(server, accept) {
    const door: { found: PropertyDescriptorMap | null } = { found: null }
    function handleUpgrade(
      this: unknown,
      request: unknown,
      socket: unknown,
      head: unknown,
      upgraded: Upgraded,
    ): void {
      const inner = innerDoor(server, door, 'handleUpgrade') as HandleUpgrade
      inner.call(this, request, socket, head, (ws, upgradeRequest, ...rest) => {
        accept(ws, upgradeRequest)
        upgraded(ws, upgradeRequest, ...rest)
      })
    }
    putDoor(server, door, 'handleUpgrade', handleUpgrade)
    const emitter = server as unknown as EventEmitter
    emitter.prependListener('connection', accept)
    return () => {
      takeDoor(server, door, 'handleUpgrade', handleUpgrade)
      emitter.off('connection', accept)
    }
  },
}
