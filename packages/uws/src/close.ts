import { GUARD, innerDoor } from '@sendfail/core'
import { type Guarded, sample, stateOf } from './socket.ts'

type Close = (this: Guarded, ...args: unknown[]) => unknown

/** uWS says by this text, and a code no peer can send, that its idle timeout has closed the connection. */
const TIMED_OUT = 'WebSocket timed out from inactivity'
const ABNORMAL = 1006

export function guardedEnd(this: Guarded, ...args: unknown[]): unknown {
  return closeBy(this, 'end', args)
}

export function guardedClose(this: Guarded, ...args: unknown[]): unknown {
  return closeBy(this, 'close', args)
}

/** This side closes, unless the peer did before. The close handler runs within the call; where it is not ours, it ends here. */
function closeBy(ws: Guarded, name: 'close' | 'end', args: unknown[]): unknown {
  const guard = ws[GUARD]
  const inner = innerDoor(ws, guard, name) as Close
  if (guard === undefined) return inner.apply(ws, args)
  guard.settle()
  const state = sample(ws)
  endNoticed(ws)
  if (guard.ended) return inner.apply(ws, args)
  const { closedBy, swift } = guard
  guard.closing()
  state.abrupt = name === 'close'
  let result: unknown
  try {
    result = inner.apply(ws, args)
  } catch (error) {
    // A wrong argument has closed nothing.
    if (!guard.ended) Object.assign(guard, { closedBy, swift })
    throw error
  }
  state.closed = true
  guard.end(null)
  return result
}

/** The connection has ended, as its close handler says. */
export function closed(ws: Guarded, code: unknown, message: unknown): void {
  const guard = ws[GUARD]
  if (guard === undefined) return
  stateOf(ws).closed = true
  if (code === ABNORMAL && textOf(message) === TIMED_OUT) guard.closedBy ??= 'timeout'
  guard.end(null)
}

/** Ends the account of a connection whose end nobody told, now that it was noticed. */
export function endNoticed(ws: Guarded): void {
  const guard = ws[GUARD]
  if (stateOf(ws).closed && !guard.ended) guard.end(null)
}

function textOf(message: unknown): string {
  return message instanceof ArrayBuffer ? Buffer.from(message).toString() : ''
}
