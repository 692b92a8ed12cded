import { Socket } from 'node:net'
import { wrongType } from './errors.ts'
import { GUARD, Guard } from './guard.ts'
import {
  checkLimit,
  DEFAULT_POLICY,
  givenOptions,
  mergePolicy,
  type OnFull,
  type WrapOptions,
} from './options.ts'
import { registry } from './registry.ts'
import { streamTransport } from './stream-transport.ts'
import type { Transport } from './transport.ts'
import type { WebSocketLike } from './websocket-send.ts'
import { websocketTransport } from './websocket-transport.ts'

/** Anything {@link wrapSocket} takes: a `net.Socket`, a `tls.TLSSocket`, an IPC socket, or a `ws` WebSocket. */
export type WrappableSocket = Socket | WebSocketLike

/**
 * Guards a socket: bounds what it may hold for its peer, and counts and explains every send that fails. Works in place
 * and returns the same object. Wrapping again changes the options that are given and counts nothing twice. Of a
 * WebSocket and the socket under it, the WebSocket is guarded.
 *
 * @param limit the most bytes to hold for the peer (default 1 MiB), or options
 * @throws {TypeError} `ERR_SEND_FAIL_SOCKET`, `ERR_SEND_FAIL_LIMIT`, `ERR_SEND_FAIL_OPTION`, `ERR_SEND_FAIL_HTTP_DROP`
 * @throws {RangeError} `ERR_SEND_FAIL_LIMIT`, `ERR_SEND_FAIL_OPTION`
 */
export function wrapSocket<S extends WrappableSocket>(socket: S, limit?: number | WrapOptions<S>): S {
  const transport = transportOf(socket)
  if (transport === null) {
    throw wrongType(
      'ERR_SEND_FAIL_SOCKET',
      'socket',
      'a net.Socket, a tls.TLSSocket or a ws WebSocket',
      socket,
    )
  }
  return guardSocket(socket, transport, limit as number | WrapOptions | undefined)
}

/** {@link wrapSocket} for a transport of one's own: what an adapter package calls. */
export function guardSocket<S extends object>(
  socket: S,
  transport: Transport<never>,
  limit?: number | WrapOptions,
): S {
  const given = givenOptions(limit)
  const guard = guardOf(socket)
  if (guard !== undefined && guard.socket !== socket) return socket // the socket under a guarded WebSocket
  const policy = mergePolicy(guard?.policy ?? DEFAULT_POLICY, given)
  const onFull = onFullFor(socket, transport, policy.onFull)
  const limitBytes = given.maxSendBufferSize ?? guard?.limitBytes ?? registry.defaultLimitBytes
  if (guard !== undefined) {
    guard.configure(limitBytes, policy, onFull)
    return socket
  }
  const { ended } = transport as unknown as Transport<S>
  const made = new Guard(
    socket,
    transport as unknown as Transport<S>,
    limitBytes,
    policy,
    onFull,
    !ended(socket),
  )
  made.transport.install(made)
  if (!made.ended) made.adoptBuffered()
  registry.wake()
  return socket
}

/** Bytes cut out of a response corrupt it, so a connection that carries HTTP is never given `'drop'`. */
function onFullFor(socket: object, transport: Transport<never>, wanted: OnFull | null): OnFull {
  if (!transport.carriesHttp(socket as never)) return wanted ?? 'drop'
  if (wanted !== 'drop') return wanted ?? 'observe'
  const expected = "'close' or 'observe' on a socket that carries HTTP (dropping bytes corrupts a response)"
  throw wrongType('ERR_SEND_FAIL_HTTP_DROP', 'onFull', expected, wanted)
}

/**
 * Takes the guard off and leaves the socket as it was found. What is pending is no longer followed. Does nothing to a
 * socket that is not wrapped.
 */
export function unwrapSocket<S extends object>(socket: S): S {
  const guard = guardOf(socket)
  if (guard !== undefined && guard.socket === socket) guard.retire()
  return socket
}

/**
 * Sets the limit of sockets that are wrapped from now on without one.
 *
 * @param bytes a positive integer, or `Infinity`; 1048576 at start
 * @throws {TypeError|RangeError} `ERR_SEND_FAIL_LIMIT`
 */
export function setDefaultMaxSendBufferSize(bytes: number): void {
  checkLimit(bytes, 'bytes')
  registry.defaultLimitBytes = bytes
}

/** The guard of a socket, or of the WebSocket over it. */
export function guardOf(socket: unknown): Guard | undefined {
  return typeof socket === 'object' && socket !== null ? (socket as { [GUARD]?: Guard })[GUARD] : undefined
}

function transportOf(socket: unknown): Transport<never> | null {
  try {
    if (socket instanceof Socket) return streamTransport as unknown as Transport<never>
    return isWebSocket(socket) ? (websocketTransport as unknown as Transport<never>) : null
  } catch {
    return null // something that throws when it is asked what it is
  }
}

/** By its shape, because any copy of ws may have made it. The WebSocket that is built into Node has no `terminate`. */
function isWebSocket(socket: unknown): boolean {
  if (typeof socket !== 'object' || socket === null) return false
  const { send, terminate, ping, readyState } = socket as Record<string, unknown>
  const methods = [send, terminate, ping]
  return methods.every((method) => typeof method === 'function') && typeof readyState === 'number'
}
