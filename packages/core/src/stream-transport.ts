import type { Socket } from 'node:net'
import { innerDoor, putDoor, takeDoor } from './doors.ts'
import { acceptedBy, endpointsOf } from './endpoints.ts'
import { GUARD, Guard } from './guard.ts'
import * as internals from './stream-internals.ts'
import { bareWrite, byteLength, callbackOf, type Guarded, guardedWrite } from './stream-write.ts'
import type { Transport } from './transport.ts'

type End = (this: Socket, chunk?: unknown, encoding?: unknown, callback?: unknown) => Socket
type Destroy = (this: Socket, error: Error | null, callback: (error?: Error | null) => void) => void

function guardedEnd(this: Guarded, chunk?: unknown, encoding?: unknown, callback?: unknown): Socket {
  const guard = this[GUARD]
  const inner = innerDoor(this, guard, 'end') as End
  if (guard === undefined) return inner.call(this, chunk, encoding, callback)
  if (chunk === null || chunk === undefined || typeof chunk === 'function') {
    guard.closing()
    return inner.call(this, chunk, encoding, callback)
  }
  const bytes = byteLength(this, chunk, encoding)
  if (!this.writable && !Number.isNaN(bytes)) {
    const observed = guard.onFull === 'observe'
    guard.refuseClosed(bytes, observed ? null : callbackOf(encoding, callback))
    return observed ? inner.call(this, chunk, encoding, callback) : inner.call(this)
  }
  guard.settle()
  inner.call(this, chunk, encoding, callback)
  guard.closing()
  if (bytes === 0) guard.sentAtOnce(0)
  else guard.queuedLast(bytes, bytes)
  return this
}

/**
 * Called by `destroy` while the handle still answers, and by no listener that an owner could remove. Stands on the
 * socket under a WebSocket too.
 */
export function guardedDestroy(
  this: Guarded,
  error: Error | null,
  callback: (error?: Error | null) => void,
): void {
  const guard = this[GUARD]
  const inner = innerDoor(this, guard, '_destroy') as Destroy
  guard?.end(error)
  inner.call(this, error, callback)
}

/**
 * `write` is an accessor, because Node assigns to it: its own `writeAfterFIN` when the peer's FIN arrives, and the
 * prototype's function when the socket connects again. What Node assigns is called by the guarded write; what anybody
 * else assigns (it will call what it found) goes over it. https://github.com/nodejs/node/blob/main/lib/net.js
 */
const WRITE: PropertyDescriptor = {
  configurable: true,
  enumerable: true,
  get(this: Guarded): unknown {
    return this[GUARD].outer ?? guardedWrite
  },
  set(this: Guarded, write: unknown) {
    const guard = this[GUARD]
    if (write === bareWrite) {
      if (guard.ended) restart(this, guard)
      this[GUARD].inner = write
      this[GUARD].outer = null
    } else if (typeof write === 'function' && write.name === 'writeAfterFIN') guard.inner = write
    else guard.outer = write
  },
}

/** A socket that connects again starts a new account under the same rules. */
function restart(socket: Guarded, old: Guard<Socket>): void {
  const guard = new Guard(socket, streamTransport, old.limitBytes, old.policy, old.onFull)
  guard.found = old.found
  guard.swift = false
  socket[GUARD] = guard
}

function install(guard: Guard<Socket>): void {
  const socket = guard.socket as Guarded
  socket[GUARD] = guard
  guard.inner = socket.write
  guard.swift = !guard.ended && socket.writable && !socket.connecting
  putDoor(socket, guard, 'write', WRITE)
  putDoor(socket, guard, 'end', guardedEnd)
  putDoor(socket, guard, '_destroy', guardedDestroy)
}

function uninstall(guard: Guard<Socket>): void {
  const { inner, outer, socket } = guard
  takeDoor(socket, guard, 'write', WRITE)
  takeDoor(socket, guard, 'end', guardedEnd)
  takeDoor(socket, guard, '_destroy', guardedDestroy)
  // What was assigned since would stand on a bare socket as an own property.
  const write = outer ?? inner
  delete (socket as Partial<Guarded>)[GUARD]
  if (write !== socket.write) socket.write = write as Socket['write']
}

/** `net.Socket`: TCP and IPC, both sides, and `tls.TLSSocket`. */
export const streamTransport: Transport<Socket> = {
  series: (socket) => ({
    meter: '@sendfail/net',
    transport: internals.isPipe(socket) ? (process.platform === 'win32' ? 'pipe' : 'unix') : 'tcp',
    protocol: internals.carriesHttp(socket) ? 'http' : null,
  }),
  carriesHttp: internals.carriesHttp,
  install,
  uninstall,
  ended: (socket) => socket.destroyed,
  failure: (socket) => socket.errored,
  buffered: (socket) => socket.writableLength,
  unsentBytes: internals.unsentBytes,
  dispatchedBytes: internals.dispatchedBytes,
  progress: internals.progress,
  peerClosed: internals.finReceived,
  established: internals.established,
  endpoints: endpointsOf,
  acceptedBy,
  receivedBytes: (socket) => socket.bytesRead,
  destroy: (socket) => void socket.destroy(),
  settlesByAmount: false,
}
