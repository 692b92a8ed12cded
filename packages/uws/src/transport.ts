import { endpoint, GUARD, type Guard, putDoor, type Transport, takeDoor } from '@sendfail/core'
import { guardedClose, guardedEnd } from './close.ts'
import { guardedCork } from './cork.ts'
import { guardedPublish } from './publish.ts'
import { FRAGMENT_DOORS, type Send, sendDoor } from './send.ts'
import { attachState, checkSwift, detachState, type Guarded, heldBytes, sample, stateOf } from './socket.ts'

type Door = (this: Guarded, ...args: never[]) => unknown

const DOORS: readonly (readonly [name: string, door: Door])[] = [
  ...Object.entries(FRAGMENT_DOORS),
  ['end', guardedEnd],
  ['close', guardedClose],
  ['cork', guardedCork],
  ['publish', guardedPublish],
]

function install(guard: Guard<Guarded>): void {
  const ws = guard.socket
  ws[GUARD] = guard
  attachState(ws)
  stateOf(ws).closed = guard.ended
  sample(ws)
  checkSwift(ws)
  guard.inner = ws.send
  putDoor(ws, guard, 'send', sendDoor(guard.inner as Send) as () => unknown)
  for (const [name, door] of DOORS) if (name in ws) putDoor(ws, guard, name, door as () => unknown)
}

function uninstall(guard: Guard<Guarded>): void {
  const ws = guard.socket
  takeDoor(ws, guard, 'send', sendDoor(guard.inner as Send) as () => unknown)
  for (const [name, door] of DOORS) takeDoor(ws, guard, name, door as () => unknown)
  detachState(ws)
  delete (ws as Partial<Guarded>)[GUARD]
}

/** A Unix domain socket has no address; of a connection that has ended uWS does not tell. */
function isLocal(ws: Guarded): boolean {
  try {
    return ws.getRemoteAddress().byteLength === 0
  } catch {
    return false
  }
}

/** The peer's address, with its port where this version tells it. */
function foreignEnd(ws: Guarded): string | null {
  try {
    return endpoint(Buffer.from(ws.getRemoteAddressAsText()).toString(), ws.getRemotePort?.())
  } catch {
    return null
  }
}

function hasEnded(ws: Guarded): boolean {
  try {
    ws.getBufferedAmount()
    return false
  } catch {
    return true
  }
}

/** A WebSocket of uWebSockets.js. uWS reports no completion: what has left is known by the amount it holds. */
export const uwsTransport: Transport<Guarded> = {
  series: (ws) => ({
    meter: '@sendfail/uws',
    transport: isLocal(ws) ? (process.platform === 'win32' ? 'pipe' : 'unix') : 'tcp',
    protocol: 'websocket',
  }),
  carriesHttp: () => false,
  install,
  uninstall,
  ended: hasEnded,
  failure: () => null,
  buffered: heldBytes,
  /** The last amount that was known. A cork is flushed after `end()`, and is not after `close()`. */
  unsentBytes(ws) {
    const { abrupt, amount, corkedBytes } = stateOf(ws)
    return abrupt ? amount + corkedBytes : amount
  },
  dispatchedBytes: () => Number.NaN,
  progress: (ws) => sample(ws).leftBytes,
  peerClosed: (ws) => stateOf(ws)?.closed ?? true,
  established: () => false,
  endpoints: (ws) => ({ local: null, foreign: foreignEnd(ws) }),
  acceptedBy: () => null,
  receivedBytes: () => Number.NaN,
  destroy: (ws) => void guardedClose.call(ws),
  settlesByAmount: true,
}
