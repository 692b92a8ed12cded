import type { Socket } from 'node:net'
import { putDoor, takeDoor } from './doors.ts'
import { acceptedBy, endpointsOf, NO_ENDPOINTS } from './endpoints.ts'
import { GUARD, type Guard } from './guard.ts'
import * as internals from './stream-internals.ts'
import { streamTransport } from './stream-transport.ts'
import type { Transport } from './transport.ts'
import {
  CLOSED,
  CONNECTING,
  type Guarded,
  guardedClose,
  guardedSend,
  guardedTerminate,
} from './websocket-send.ts'
import { hookSocket, unhookSocket } from './websocket-socket.ts'

function opened(this: Guarded): void {
  hookSocket(this[GUARD])
}

/** A handshake that fails ends a WebSocket that never had a socket. */
function closed(this: Guarded): void {
  this[GUARD].closedBy ??= 'error'
  this[GUARD].end(null)
}

function install(guard: Guard<Guarded>): void {
  const ws = guard.socket
  ws[GUARD] = guard
  guard.inner = ws.send
  guard.swift = false
  putDoor(ws, guard, 'send', guardedSend)
  putDoor(ws, guard, 'close', guardedClose)
  putDoor(ws, guard, 'terminate', guardedTerminate)
  if (ws.readyState === CONNECTING) {
    ws.prependOnceListener('open', opened)
    ws.prependOnceListener('close', closed)
  } else hookSocket(guard)
}

function uninstall(guard: Guard<Guarded>): void {
  const ws = guard.socket
  takeDoor(ws, guard, 'send', guardedSend)
  takeDoor(ws, guard, 'close', guardedClose)
  takeDoor(ws, guard, 'terminate', guardedTerminate)
  ws.off('open', opened)
  ws.off('close', closed)
  delete (ws as Partial<Guarded>)[GUARD]
  unhookSocket(guard)
}

/** Asks the socket under a WebSocket; there is none before the handshake. */
function ask<T>(question: (socket: Socket) => T, otherwise: T): (ws: Guarded) => T {
  return (ws) => (ws._socket ? question(ws._socket) : otherwise)
}

const finReceived = ask(internals.finReceived, false)
const heldBySocket = ask((socket) => socket.writableLength, 0)

/**
 * What ws holds. Once it is closing, `bufferedAmount` also grows with all that is sent or pinged in vain; then an idle
 * sender tells that only the socket holds anything.
 */
function buffered(ws: Guarded): number {
  const { _queue, _state, _deflating } = ws._sender ?? {}
  const idle = _queue?.length === 0 && (_state === 0 || _deflating === false)
  return idle ? heldBySocket(ws) : ws.bufferedAmount
}

/** A `ws` WebSocket, server or client side. */
export const websocketTransport: Transport<Guarded> = {
  series: (ws) => ({
    meter: '@sendfail/ws',
    transport: ask((socket) => streamTransport.series(socket).transport, 'tcp')(ws),
    protocol: 'websocket',
  }),
  carriesHttp: () => false,
  install,
  uninstall,
  ended: (ws) => ws.readyState === CLOSED || ws._socket?.destroyed === true,
  failure: ask((socket) => socket.errored, null),
  buffered,
  unsentBytes(ws, wireBytes) {
    const held = buffered(ws)
    if (held === 0) return 0
    const inSender = held - heldBySocket(ws) // compressed, or read from a Blob: its length on the wire is not known yet
    if (ws.extensions !== '' || inSender > 0) return Number.POSITIVE_INFINITY
    return internals.unsentBytes(ws._socket as Socket, wireBytes)
  },
  dispatchedBytes: ask(internals.dispatchedBytes, Number.NaN),
  progress: ask(internals.progress, 0),
  peerClosed: (ws) => ws._closeFrameReceived === true || finReceived(ws),
  established: ask(internals.established, false),
  endpoints: ask(endpointsOf, NO_ENDPOINTS),
  acceptedBy: ask(acceptedBy, null),
  receivedBytes: ask((socket) => socket.bytesRead, 0),
  destroy: (ws) => ws.terminate(),
  settlesByAmount: false,
}
