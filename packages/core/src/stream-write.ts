import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { GUARD, type Guard } from './guard.ts'
import type { SendCallback } from './reporting.ts'
import { askForDrain, defaultEncoding, FEATURES } from './stream-internals.ts'

type Write = (this: Socket, chunk: unknown, encoding?: unknown, callback?: unknown) => boolean

/** A socket under guard. The guard is gone from one that was unwrapped while a caller still held our function. */
export interface Guarded extends Socket {
  [GUARD]: Guard<Socket>
}

/** The function that `net.Socket` and `tls.TLSSocket` inherit. */
export const bareWrite: Write = Duplex.prototype.write as unknown as Write

/**
 * The one path of a write on a healthy socket: nothing waits, the kernel takes the message within the call, and
 * `writableLength` is 0 again. No callback and no allocation; `packages/bench` compares it with the bare call.
 */
export function guardedWrite(this: Guarded, chunk: unknown, encoding?: unknown, callback?: unknown): boolean {
  const guard = this[GUARD]
  if (guard === undefined) return bareWrite.call(this, chunk, encoding, callback)
  // `length` of a Uint8Array is a plain load, and `byteLength` of any view is not: packages/bench, 64 B
  const bytes = chunk instanceof Uint8Array ? chunk.length : byteLength(this, chunk, encoding)
  const settled = guard.pending === 0 || this.writable // what waited may have failed meanwhile: uncork() tells nobody
  const simple = settled && guard.swift && this.writableLength === 0 && this.writableCorked === 0
  if (!simple || !(bytes > 0 && bytes < guard.limitBytes))
    return waitingWrite(this, chunk, encoding, callback, bytes)
  if (guard.pending !== 0) guard.settle()
  const inner = guard.inner as Write
  const accepted =
    inner === bareWrite
      ? bareWrite.call(this, chunk, encoding, callback)
      : inner.call(this, chunk, encoding, callback)
  if (this.writableLength !== 0) guard.queued(bytes, bytes)
  else if (accepted || isSound(this)) guard.sentAtOnce(bytes)
  else guard.failedAtOnce(bytes)
  return accepted
}

/** A write on a socket that has a backlog, is corked, connecting or closed, or whose buffer this message may fill. */
function waitingWrite(
  socket: Guarded,
  chunk: unknown,
  encoding: unknown,
  callback: unknown,
  bytes: number,
): boolean {
  const guard = socket[GUARD]
  const inner = guard.inner as Write
  if (Number.isNaN(bytes)) return inner.call(socket, chunk, encoding, callback) // throws, as on a bare socket
  const user = callbackOf(encoding, callback)
  if (!socket.writable) return closedWrite(socket, chunk, encoding, callback, bytes)
  guard.settle()
  const reason = guard.admit(bytes)
  if (reason !== null) {
    guard.refuse(reason, bytes, user)
    if (!guard.ended) oweDrain(socket)
    return false
  }
  const done = bytes > 0 ? guard.completion(user) : guard.completionOfEmpty(user)
  const accepted = inner.call(socket, chunk, typeof encoding === 'function' ? undefined : encoding, done)
  guard.swift = socket.writable && !socket.connecting // it was off as long as the socket was connecting
  if (bytes === 0) guard.acceptedEmpty()
  else if (socket.writableLength !== 0 || isSound(socket)) guard.accepted(bytes, bytes)
  else guard.failedAtOnce(bytes)
  if (guard.onFull === 'observe' || guard.ended || guard.pendingBytes < guard.limitBytes) return accepted
  oweDrain(socket) // the next one would be refused: signal back-pressure before discarding
  return false
}

/**
 * A write on a socket that is closed, ending or broken. Node would answer some of these with an `'error'`; a refused
 * send has none. One thing Node does is kept: writing behind the peer's FIN ends a connection that is not half-open.
 */
function closedWrite(
  socket: Guarded,
  chunk: unknown,
  encoding: unknown,
  callback: unknown,
  bytes: number,
): boolean {
  const guard = socket[GUARD]
  if (guard.onFull === 'observe') {
    guard.refuseClosed(bytes, null)
    return (guard.inner as Write).call(socket, chunk, encoding, callback)
  }
  guard.refuseClosed(bytes, callbackOf(encoding, callback))
  if (guard.closer() === 'client' && !socket.allowHalfOpen) socket.destroy()
  return false
}

/** A refused write returned false, so a `'drain'` has to follow while the connection lives. */
function oweDrain(socket: Guarded): void {
  if (socket.writableNeedDrain) return
  if (socket.writableLength === 0) process.nextTick(emitDrain, socket)
  else if (FEATURES.needDrain) askForDrain(socket)
  else socket[GUARD].whenEmpty = () => emitDrain(socket)
}

function emitDrain(socket: Socket): void {
  if (socket.writable) socket.emit('drain')
}

/** No write has failed and nothing destroyed the socket: its length can be believed. */
function isSound(socket: Socket): boolean {
  return socket.errored === null && !socket.destroyed
}

/** The callback among the last two arguments of `write` or `end`. */
export function callbackOf(encoding: unknown, callback: unknown): SendCallback | null {
  if (typeof encoding === 'function') return encoding as SendCallback
  return typeof callback === 'function' ? (callback as SendCallback) : null
}

/** The bytes a chunk will be; `NaN` for what the stream will throw at. */
export function byteLength(socket: Socket, chunk: unknown, encoding: unknown): number {
  if (typeof chunk !== 'string') return ArrayBuffer.isView(chunk) ? chunk.byteLength : Number.NaN
  if (typeof encoding !== 'string') return Buffer.byteLength(chunk, defaultEncoding(socket))
  return Buffer.isEncoding(encoding) ? Buffer.byteLength(chunk, encoding) : Number.NaN
}
