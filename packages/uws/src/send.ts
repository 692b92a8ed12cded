import { GUARD, type Guard, innerDoor } from '@sendfail/core'
import { endNoticed } from './close.ts'
import { isCorked, isUncorked } from './cork.ts'
import { headroom } from './limit.ts'
import { checkSwift, type Guarded, heldBytes, sample, stateOf } from './socket.ts'

export type Send = (this: Guarded, message: unknown, second?: unknown, third?: unknown) => unknown

/** What `send` of uWS returns: https://unetworking.github.io/uWebSockets.js/generated/interfaces/WebSocket.html#send */
const SENT = 1
const DROPPED = 2

const sends = new WeakMap<Send, Send>()

/**
 * The door that calls `inner`, one for all WebSockets that had this `send`: of the same class, as long as nobody dresses
 * one. V8 calls a native function without detours where it knows which it is, which it does not of one it reads from an
 * object: `pnpm bench --transports uws --sizes 64`.
 */
export function sendDoor(inner: Send): Send {
  const known = sends.get(inner)
  if (known !== undefined) return known
  const made = guardedSendOver(inner)
  sends.set(inner, made)
  return made
}

/**
 * The one path of a send on a healthy WebSocket, as core's `guardedSend` for ws. `swift` says all at once: nothing is
 * pending, uWS holds nothing, and is not corked. Then 1 means that the operating system has the message.
 */
function guardedSendOver(inner: Send): Send {
  return function send(this: Guarded, message: unknown, isBinary?: unknown, compress?: unknown): unknown {
    const guard = this[GUARD]
    if (guard === undefined) return inner.call(this, message, isBinary, compress)
    const bytes = message instanceof Uint8Array ? message.length : byteLength(message)
    if (!(guard.swift || isUncorked(this)) || !(bytes < guard.limitBytes))
      return waitingSend(this, inner, message, isBinary, compress, bytes, compress, true)
    let status: unknown
    try {
      status = inner.call(this, message, isBinary, compress)
    } catch (error) {
      return closedWhileSending(this, bytes, error)
    }
    if (status === SENT) guard.sentAtOnce(bytes)
    else settleSend(this, bytes, compress, status)
    return status
  }
}

/** A send on a WebSocket that has a backlog, is closed, or whose buffer this message may fill. */
function waitingSend(
  ws: Guarded,
  inner: Send,
  message: unknown,
  second: unknown,
  third: unknown,
  bytes: number,
  compress: unknown,
  admits: boolean,
): unknown {
  const guard = ws[GUARD]
  if (Number.isNaN(bytes)) return oddSend(ws, inner, message, second, third)
  if (!guard.ended) guard.settle()
  endNoticed(ws)
  if (guard.ended) {
    guard.refuseClosed(bytes, null)
    return inner.call(ws, message, second, third) // throws, as on a bare one
  }
  const reason = admits ? guard.admit(bytes, heldBytes(ws) - headroom(guard.limitBytes)) : null
  if (reason !== null) {
    if (guard.pending === 0) guard.adoptBuffered()
    guard.refuse(reason, bytes, null)
    return DROPPED
  }
  let status: unknown
  try {
    status = inner.call(ws, message, second, third)
  } catch (error) {
    return closedWhileSending(ws, bytes, error)
  }
  settleSend(ws, bytes, compress, status)
  return status
}

/** Books a message that uWS was given, by what it answered. */
function settleSend(ws: Guarded, bytes: number, compress: unknown, status: unknown): void {
  const guard = ws[GUARD]
  const state = stateOf(ws)
  if (status === DROPPED) {
    if (!state.rules.tellsOfDrops) countDrop(ws, bytes)
  } else if (guard.ended) guard.failedAtOnce(bytes)
  else if (status === SENT && !isCorked(ws) && guard.pending === 0) guard.sentAtOnce(bytes)
  else {
    const wireBytes = compress ? 0 : frameLength(bytes) // of a compressed one unknown: it has left when nothing is held
    state.givenBytes += wireBytes
    if (sample(ws).amount === 0 && state.corked !== null) state.corkedBytes += frameLength(bytes)
    guard.accepted(bytes, wireBytes)
  }
  checkSwift(ws)
}

/** uWS dropped a message by a limit of its own: the buffer was full. It closes the connection then if it was told to. */
export function countDrop(ws: Guarded, bytes: number): void {
  const guard = ws[GUARD]
  if (guard.ended) return guard.refuseClosed(bytes, null)
  if (guard.pending === 0) guard.adoptBuffered() // so that somebody sees it drain
  guard.refuse('buffer_full', bytes, null)
  if (stateOf(ws).rules.closesWhenDropping) guard.closedBy ??= 'limit'
}

/** A wrong type, on which uWS throws; what it takes all the same is counted by the length it says it has. */
function oddSend(ws: Guarded, inner: Send, message: unknown, second: unknown, third: unknown): unknown {
  const status = inner.call(ws, message, second, third)
  settleSend(ws, Number((message as { byteLength?: unknown } | null)?.byteLength ?? 0), false, status)
  return status
}

/** Without its handlers nobody told that the connection has ended; it is booked, and the error is the caller's. */
function closedWhileSending(ws: Guarded, bytes: number, error: unknown): never {
  const guard = ws[GUARD]
  sample(ws)
  endNoticed(ws)
  if (guard.ended) guard.refuseClosed(bytes, null)
  throw error
}

/** The frames of one message stand or fall together: a missing one would corrupt what follows. Each is counted. */
function fragmentDoor(name: string, first: boolean, last: boolean): Send {
  return function (this: Guarded, message, second, third) {
    const guard = this[GUARD] as Guard<Guarded> | undefined
    const inner = innerDoor(this, guard, name) as Send
    if (guard === undefined) return inner.call(this, message, second, third)
    const state = stateOf(this)
    const bytes = byteLength(message)
    const refused = !first && state.fragments === 'refused'
    let status: unknown = DROPPED
    if (refused && !guard.ended && !Number.isNaN(bytes)) guard.refuse('buffer_full', bytes, null)
    else status = waitingSend(this, inner, message, second, third, bytes, first ? third : second, first)
    if (last) state.fragments = 'none'
    else if (status === DROPPED) state.fragments = 'refused'
    else if (first) state.fragments = 'accepted'
    return status
  }
}

export const FRAGMENT_DOORS: Readonly<Record<string, Send>> = {
  sendFirstFragment: fragmentDoor('sendFirstFragment', true, false),
  sendFragment: fragmentDoor('sendFragment', false, false),
  sendLastFragment: fragmentDoor('sendLastFragment', false, true),
}

/** The bytes of what uWS takes; `NaN` for anything else. Nothing at all is an empty message. */
export function byteLength(message: unknown): number {
  if (typeof message === 'string') return Buffer.byteLength(message)
  if (message instanceof Uint8Array) return message.byteLength
  return oddLength(message)
}

function oddLength(message: unknown): number {
  if (message instanceof ArrayBuffer || message instanceof SharedArrayBuffer) return message.byteLength
  if (ArrayBuffer.isView(message) && !(message instanceof DataView)) return message.byteLength
  return message === undefined ? 0 : Number.NaN
}

/** Length of an unmasked, uncompressed frame: https://www.rfc-editor.org/rfc/rfc6455#section-5.2 */
export function frameLength(bytes: number): number {
  return bytes + (bytes < 126 ? 2 : bytes < 65536 ? 4 : 10)
}
