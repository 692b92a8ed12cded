import { GUARD, type Guard } from '@sendfail/core'

/** The part of a WebSocket of uWebSockets.js (version 20) that is used here, over plain TCP or TLS. */
export interface UwsWebSocketLike {
  send(message: never, isBinary?: boolean, compress?: boolean): number
  getBufferedAmount(): number
  getRemoteAddress(): ArrayBuffer
  getRemoteAddressAsText(): ArrayBuffer
  end(code?: number, shortMessage?: never): void
  close(): void
  cork(callback: () => void): unknown
}

const STATE: unique symbol = Symbol.for('sendfail.uws.v1') as never

/** A WebSocket under guard, with the methods of uWS that not every version has. */
export interface Guarded extends UwsWebSocketLike {
  [GUARD]: Guard<Guarded>
  [STATE]: UwsState
  getRemotePort?(): number
}

/** Which frames of a message in fragments are still to come, and what becomes of them. */
export type Fragments = 'accepted' | 'none' | 'refused'

/** What is known of a WebSocket beyond its guard. uWS tells one number, and nothing once the connection has ended. */
export class UwsState {
  /** What uWS held when it was last asked, in bytes on the wire. */
  amount = 0
  /** Bytes of messages that may still be in the cork buffer of uWS, which shows in no amount. */
  corkedBytes = 0
  /** May uWS be corked for this connection now, and by what? */
  corked: 'call' | 'handler' | null = null
  /** No method answers any more. */
  closed = false
  /** Ended by `close()`: the cork buffer is not flushed. */
  abrupt = false
  fragments: Fragments = 'none'
  /** Bytes on the wire that were given to uWS, as far as is known, and those that have left. */
  givenBytes = 0
  leftBytes = 0
  /** What the behavior says; without one that is wrapped nobody knows. */
  rules: Rules = UNKNOWN
}

/** What a wrapped behavior says for all its connections. */
export interface Rules {
  /** Has uWS called the `dropped` handler? It does so for what is published, and for a `send` within the call. */
  tellsOfDrops: boolean
  /** The limit of uWS itself, in bytes on the wire; 0 for none. */
  readonly nativeLimitBytes: number
  /** Does uWS close the connection when it drops a message? */
  readonly closesWhenDropping: boolean
}

const UNKNOWN: Rules = Object.freeze({ tellsOfDrops: false, nativeLimitBytes: 0, closesWhenDropping: false })

export function stateOf(ws: Guarded): UwsState {
  return ws[STATE]
}

export function attachState(ws: Guarded): void {
  ws[STATE] = new UwsState()
}

export function detachState(ws: Guarded): void {
  delete (ws as Partial<Guarded>)[STATE]
}

/**
 * Asks uWS how much it holds, while it answers; the last answer is what is known when the connection ends. What is in
 * the cork buffer goes first, so there is nothing in it once uWS holds something.
 */
export function sample(ws: Guarded): UwsState {
  const state = ws[STATE]
  if (state.closed) return state
  try {
    state.amount = ws.getBufferedAmount()
  } catch {
    state.closed = true
    queueMicrotask(() => ws[GUARD]?.end(null)) // not within the question: the guard is in the middle of something
    return state
  }
  if (state.amount > 0) state.corkedBytes = 0
  const leftBytes = state.givenBytes - state.amount
  if (leftBytes >= state.leftBytes) state.leftBytes = leftBytes
  else state.givenBytes += state.leftBytes - leftBytes // a ping, a published message: given by somebody else
  return state
}

/** May a send take the short way? */
export function checkSwift(ws: Guarded): void {
  const guard = ws[GUARD]
  const { amount, closed, corked } = ws[STATE]
  guard.swift = !guard.ended && !closed && amount === 0 && corked === null && guard.pending === 0
}

/** What uWS holds for the connection, in its cork buffer too. */
export function heldBytes(ws: Guarded): number {
  const { amount, corkedBytes } = sample(ws)
  return amount + corkedBytes
}
