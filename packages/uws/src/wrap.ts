import { GUARD, guardSocket, type WrapOptions, wrongType } from '@sendfail/core'
import './metrics.ts'
import { type Guarded, sample, type UwsWebSocketLike } from './socket.ts'
import { uwsTransport } from './transport.ts'

/**
 * Guards one WebSocket of uWebSockets.js: bounds what it may hold for its peer, and counts and explains every send that
 * fails. Works in place and returns the same object; wrapping again changes the options that are given. For a route
 * whose behavior is not wrapped: then nothing tells that a connection has ended, and it is asked once a second.
 *
 * @param limit the most bytes to hold for the peer (default 1 MiB), or options
 * @throws {TypeError} `ERR_SEND_FAIL_SOCKET`, `ERR_SEND_FAIL_LIMIT`, `ERR_SEND_FAIL_OPTION`
 * @throws {RangeError} `ERR_SEND_FAIL_LIMIT`, `ERR_SEND_FAIL_OPTION`
 */
export function wrapSocket<S extends UwsWebSocketLike>(ws: S, limit?: number | WrapOptions<S>): S {
  const { cork, end, getBufferedAmount, send } = Object(ws) as Record<string, unknown>
  if ([cork, end, getBufferedAmount, send].some((method) => typeof method !== 'function')) {
    throw wrongType('ERR_SEND_FAIL_SOCKET', 'ws', 'a WebSocket of uWebSockets.js', ws)
  }
  const wrapped = GUARD in ws
  guardSocket(ws as unknown as Guarded, uwsTransport as never, limit as number | WrapOptions | undefined)
  if (!wrapped) visit(ws as unknown as Guarded)
  return ws
}

const VISIT_MS = 1000
const visited = new Set<Guarded>()
let timer: NodeJS.Timeout | null = null

/** From now on asks now and then whether the connection is still there. */
function visit(ws: Guarded): void {
  visited.add(ws)
  timer ??= setInterval(visitAll, VISIT_MS).unref()
}

/** Those whose close handler is ours end by themselves, and are dropped here. */
function visitAll(): void {
  for (const ws of visited) if (ws[GUARD]?.ended !== false || sample(ws).closed) visited.delete(ws)
  if (visited.size > 0 || timer === null) return
  clearInterval(timer)
  timer = null
}
