import type { Socket } from 'node:net'
import { innerDoor } from './doors.ts'
import { GUARD, type Guard } from './guard.ts'
import type { SendCallback } from './reporting.ts'
import { callbackOf } from './stream-write.ts'
import { hookSocket } from './websocket-socket.ts'

/** The part of a `ws` WebSocket (version 8) that is used here; its WebSocket is one, on either side. */
export interface WebSocketLike {
  readonly readyState: number
  readonly bufferedAmount: number
  send(data: never, callback?: (error?: Error) => void): void
  close(code?: number, reason?: never): void
  terminate(): void
}

/** What is read of it beyond its documentation; what is missing makes the verdict coarser, nothing else. */
export interface Guarded extends WebSocketLike {
  [GUARD]: Guard<Guarded>
  readonly _socket?: (Socket & { [GUARD]?: Guard<object> }) | null
  readonly _closeFrameReceived?: boolean
  readonly _sender?: {
    readonly _queue?: readonly unknown[]
    readonly _state?: number
    readonly _deflating?: boolean
  }
  readonly _isServer?: boolean
  readonly extensions?: string
  prependOnceListener(event: 'close' | 'open', listener: () => void): unknown
  off(event: 'close' | 'open', listener: () => void): unknown
}

type Send = (this: Guarded, data: unknown, options?: unknown, callback?: unknown) => void
type Close = (this: Guarded, code?: unknown, reason?: unknown) => void

/** https://websockets.spec.whatwg.org/#dom-websocket-readystate */
export const CONNECTING = 0
const OPEN = 1
export const CLOSED = 3

/** The one path of a send on a healthy WebSocket, as `guardedWrite` on a stream. */
export function guardedSend(this: Guarded, data: unknown, options?: unknown, callback?: unknown): void {
  const guard = this[GUARD]
  const inner = (guard === undefined ? innerDoor(this, undefined, 'send') : guard.inner) as Send
  if (guard === undefined) return inner.call(this, data, options, callback)
  const bytes = data instanceof Uint8Array ? data.length : byteLength(data)
  const simple = guard.swift && this.bufferedAmount === 0 && this.readyState === OPEN
  if (!simple || !(bytes < guard.limitBytes)) return waitingSend(this, data, options, callback, bytes)
  const socket = this._socket as Socket
  if (!socket.writable || socket.writableCorked !== 0)
    return waitingSend(this, data, options, callback, bytes)
  if (guard.pending !== 0) guard.settle()
  inner.call(this, data, options, callback)
  if (this.bufferedAmount !== 0) guard.queued(bytes, frameLength(this, bytes))
  else if (socket.writable) guard.sentAtOnce(bytes)
  else guard.failedAtOnce(bytes)
}

/** A send on a WebSocket that has a backlog, compresses, is not open, or whose buffer this message may fill. */
function waitingSend(ws: Guarded, data: unknown, options: unknown, callback: unknown, bytes: number): void {
  const guard = ws[GUARD]
  const inner = guard.inner as Send
  if (ws.readyState === CONNECTING) return inner.call(ws, data, options, callback) // throws, as on a bare one
  hookSocket(guard)
  const size = Number.isNaN(bytes) ? convertedLength(data) : bytes
  if (Number.isNaN(size)) return inner.call(ws, data, options, callback) // throws, as on a bare one
  const user = callbackOf(options, callback)
  if (ws.readyState !== OPEN || ws._socket?.writable !== true)
    return closedSend(ws, data, options, user, size)
  guard.settle()
  const reason = guard.admit(size)
  if (reason !== null) return guard.refuse(reason, size, user)
  const hidden = size === 0 && (ws.extensions !== '' || bytes !== 0) // compressed or a Blob: shows in no amount
  const done = hidden ? guard.completionOfEmpty(user) : guard.completion(user)
  inner.call(ws, data, typeof options === 'function' ? undefined : options, done)
  if (hidden) guard.acceptedEmpty()
  else if (ws.bufferedAmount !== 0 || ws._socket.writable) guard.accepted(size, frameLength(ws, size))
  else guard.failedAtOnce(size)
}

/**
 * A send on a WebSocket that is closing or closed, or whose socket is. As the standard demands, the message still adds
 * to `bufferedAmount`, for ever: ws does that.
 * https://websockets.spec.whatwg.org/#dom-websocket-bufferedamount
 */
function closedSend(
  ws: Guarded,
  data: unknown,
  options: unknown,
  user: SendCallback | null,
  bytes: number,
): void {
  const guard = ws[GUARD]
  const observed = guard.onFull === 'observe'
  guard.refuseClosed(bytes, observed ? null : user)
  if (!observed && ws.readyState === OPEN) return
  const rest = typeof options === 'function' ? undefined : options
  ;(guard.inner as Send).call(ws, data, rest, observed ? user : undefined)
}

/** This side starts the closing handshake, unless ws answers the close frame of the peer. */
export function guardedClose(this: Guarded, code?: unknown, reason?: unknown): void {
  const guard = this[GUARD]
  const before = this.readyState
  ;(innerDoor(this, guard, 'close') as Close).call(this, code, reason)
  if (guard !== undefined && before <= OPEN) guard.closing() // after the call: it throws for a wrong code
}

export function guardedTerminate(this: Guarded): void {
  const guard = this[GUARD]
  if (guard !== undefined && this.readyState <= OPEN) guard.closing()
  ;(innerDoor(this, guard, 'terminate') as Close).call(this)
}

/** The bytes of the kinds of data that need no conversion; `NaN` for any other. */
function byteLength(data: unknown): number {
  if (typeof data === 'string') return Buffer.byteLength(data)
  return data instanceof ArrayBuffer || ArrayBuffer.isView(data) ? data.byteLength : Number.NaN
}

/** The bytes ws makes of other data: a number becomes text, nothing an empty message, the rest a Buffer, or it throws. */
function convertedLength(data: unknown): number {
  if (typeof data === 'number') return String(data).length
  if (!data) return 0
  if (Object.prototype.toString.call(data) === '[object Blob]') return (data as Blob).size
  try {
    return Buffer.from(data as string).length
  } catch {
    return Number.NaN
  }
}

/** Length of an uncompressed frame: https://www.rfc-editor.org/rfc/rfc6455#section-5.2 */
function frameLength(ws: Guarded, bytes: number): number {
  const header = bytes < 126 ? 2 : bytes < 65536 ? 4 : 10
  return header + (ws._isServer === true ? 0 : 4) + bytes
}
