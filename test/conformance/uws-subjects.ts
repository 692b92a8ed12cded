import { unwrapSocket, wrapSocket } from '@sendfail/uws'
import { binaries } from '../fixtures/uws.ts'
import { openUws, type UwsKind, type UwsSocket } from '../fixtures/uws-link.ts'
import type { Connection, End, Feature, Subject, WrongCall } from './subject.ts'

const wsOf = ({ socket }: Connection): UwsSocket => socket as UwsSocket

async function open(kind: UwsKind): Promise<Connection> {
  const { closed, dispose, drains, isClosed, peer, ws } = await openUws(kind)
  return {
    socket: ws,
    touched: [ws],
    peer,
    errors: [],
    closed: closed.then(() => {}),
    dispose,
    drains,
    send: (data) => ws.send(data, typeof data !== 'string', kind === 'uws+deflate' && compresses(data)),
    held: () => (isClosed() ? 0 : ws.getBufferedAmount()),
    jammed: () => ws.getBufferedAmount() > 0,
    isOpen: () => !isClosed(),
  }
}

/** Not every message: one of a hundred thousand equal bytes would be nothing, and no backlog could be made of such. */
const compresses = ({ length }: Buffer | string): boolean => length < 100_000 || length > 1_000_000

/** uWS calls the close handler within `end()`, and tells nothing of what it still holds then. */
const ENDS: readonly End[] = [
  { name: 'end()', by: 'server', abrupt: false, loud: false, act: (one) => wsOf(one).end() },
  { name: 'end(1000)', by: 'server', abrupt: false, loud: false, act: (one) => wsOf(one).end(1000, 'bye') },
  { name: 'close()', by: 'server', abrupt: true, loud: false, act: (one) => wsOf(one).close() },
  { name: 'the peer closes', by: 'client', abrupt: false, loud: false, act: ({ peer }) => peer.close() },
  { name: 'the peer half-closes', by: 'client', abrupt: false, loud: false, act: ({ peer }) => peer.fin() },
  { name: 'the peer resets', by: 'client', abrupt: true, loud: false, act: ({ peer }) => peer.reset() },
]

const WRONG_CALLS: readonly WrongCall[] = [
  { name: 'send({})', call: (one) => wsOf(one).send({} as never) },
  { name: 'send(null)', call: (one) => wsOf(one).send(null as never) },
  { name: 'send(7)', call: (one) => wsOf(one).send(7 as never) },
  { name: 'send(DataView)', call: (one) => wsOf(one).send(new DataView(new ArrayBuffer(9)) as never) },
  { name: 'sendFirstFragment({})', call: (one) => wsOf(one).sendFirstFragment({} as never) },
]

function lacksOf(kind: UwsKind): Partial<Record<Feature, string>> {
  const lacks: Partial<Record<Feature, string>> = {
    afterEnd: 'uWS tells nothing after its close handler, and goes on writing what it holds',
    callback: 'send of uWS takes no callback',
    drainEvent: 'uWS calls the drain handler on partial drains too',
    frames: 'uWS has no pong to send, and tells nothing after end(); its own tests try ping and end()',
    lastMessage: 'end() of uWS takes a reason, not a message',
  }
  if (kind === 'uws+deflate') lacks.exactEnd = 'the length of a compressed message on the wire is not known'
  if (kind === 'uws+ssl') {
    lacks.exactEnd = 'on TLS uWS counts its whole buffer as held until all of it has left'
    lacks.progress = lacks.exactEnd
  }
  return lacks
}

function subjectOf(kind: UwsKind): Subject {
  return {
    kind: kind as Subject['kind'],
    side: 'server',
    lacks: lacksOf(kind),
    refused: 2,
    throwsWhenClosed: true,
    framed: true,
    doors: ['send', 'end', 'close', 'cork'],
    ends: ENDS,
    wrongCalls: WRONG_CALLS,
    open: () => open(kind),
    guard: (one, options) => void wrapSocket(wsOf(one), options),
    unguard: (one) => void unwrapSocket(wsOf(one)),
    proof: (one) => ({
      found: [Object.getPrototypeOf(one.socket).constructor.name, binaries.length],
      wanted: [kind === 'uws+ssl' ? 'uWS.SSLWebSocket' : 'uWS.WebSocket', 1],
    }),
  }
}

export const UWS_SUBJECTS: readonly Subject[] = (['uws', 'uws+deflate', 'uws+ssl'] as const).map(subjectOf)
