import { putDoor, takeDoor } from './doors.ts'
import { GUARD, Guard } from './guard.ts'
import { guardedDestroy, streamTransport } from './stream-transport.ts'
import type { Guarded } from './websocket-send.ts'

/**
 * Takes hold of the socket under a WebSocket, whose destruction ends the account. A guard of that socket itself gives
 * way, so that nothing is counted twice: the WebSocket wins. Does nothing while there is no socket, or the second time.
 */
export function hookSocket(guard: Guard<Guarded>): void {
  const ws = guard.socket
  const socket = ws._socket
  if (socket === null || socket === undefined || socket[GUARD] === (guard as unknown)) return
  const under = socket[GUARD]
  if (under !== undefined) {
    under.retire()
    guard.replaced = under
  }
  socket[GUARD] = guard as never
  putDoor(socket, guard, '_destroy', guardedDestroy)
  guard.swift = !guard.ended && !ws.extensions // the outcome of a compressed send shows only in its callback
  if (socket.destroyed) guard.end(socket.errored)
}

/** Lets go of it; a guard that had given way takes its place again, with a new account. */
export function unhookSocket(guard: Guard<Guarded>): void {
  const socket = guard.socket._socket
  if (socket === null || socket === undefined || socket[GUARD] !== (guard as unknown)) return
  takeDoor(socket, guard, '_destroy', guardedDestroy)
  delete socket[GUARD]
  const { replaced } = guard
  if (replaced === null) return
  const { limitBytes, onFull, policy } = replaced
  streamTransport.install(new Guard(socket, streamTransport, limitBytes, policy, onFull, !socket.destroyed))
}
