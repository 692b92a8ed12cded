import type net from 'node:net'
import { unwrapSocket, type WrapOptions, wrapSocket } from '@sendfail/core'
import type { WebSocket } from 'ws'
import { isWebSocketKind, type Kind, type Link, openLink, type Side } from '../fixtures/link.ts'
import type { Connection, End, Feature, Subject, WrongCall } from './subject.ts'

const encrypted = (kind: Kind): boolean => kind === 'tls' || kind === 'wss'
const streamOf = ({ socket }: Connection): net.Socket => socket as net.Socket
const webSocketOf = ({ socket }: Connection): WebSocket => socket as WebSocket

/** What both ends of every kind have in common. */
function connectionOf(link: Link): Omit<Connection, 'held' | 'isOpen' | 'jammed' | 'send'> {
  const touched = link.socket === link.under ? [link.socket] : [link.socket, link.under]
  const errors: unknown[] = []
  let drains = 0
  for (const one of touched) one.on('error', (error: unknown) => errors.push(error))
  link.socket.on('drain', () => drains++)
  const { closed, dispose, peer, socket } = link
  return { socket, touched, peer, errors, closed, dispose, drains: () => drains }
}

function streamConnection(link: Link): Connection {
  const socket = link.socket as net.Socket
  return {
    ...connectionOf(link),
    send: (data, callback) => socket.write(data, callback),
    sendLast: (data, callback) => void socket.end(data, callback),
    held: () => socket.writableLength,
    jammed: () => socket.writableLength > 0,
    isOpen: () => socket.writable,
  }
}

function webSocketConnection(link: Link): Connection {
  const ws = link.socket as WebSocket
  return {
    ...connectionOf(link),
    send: (data, callback) => ws.send(data, callback),
    frames: {
      ping: (data) => ws.ping(data),
      pong: (data) => ws.pong(data),
      close: () => ws.close(1000, 'bye'),
    },
    held: () => ws.bufferedAmount,
    jammed: () => link.under.writableLength > 0,
    isOpen: () => ws.readyState === ws.OPEN && link.under.writable,
  }
}

const QUIET = { abrupt: false, loud: false } as const
const ABRUPT = { abrupt: true, loud: false } as const
const LOUD = { abrupt: true, loud: true } as const

const PEER_ENDS: readonly End[] = [
  { name: 'the peer closes', by: 'client', ...QUIET, act: ({ peer }) => peer.close() },
  { name: 'the peer half-closes', by: 'client', ...QUIET, act: ({ peer }) => peer.fin() },
  { name: 'the peer resets', by: 'client', ...LOUD, act: ({ peer }) => peer.reset() },
]
const STREAM_ENDS: readonly End[] = [
  { name: 'end()', by: 'server', ...QUIET, act: (one) => void streamOf(one).end() },
  { name: 'destroy()', by: 'server', ...ABRUPT, act: (one) => void streamOf(one).destroy() },
  {
    name: 'destroy(error)',
    by: 'server',
    ...LOUD,
    act: (one) => void streamOf(one).destroy(Error('enough')),
  },
  ...PEER_ENDS,
]
const WEBSOCKET_ENDS: readonly End[] = [
  { name: 'close()', by: 'server', ...QUIET, act: (one) => webSocketOf(one).close() },
  { name: 'terminate()', by: 'server', ...ABRUPT, act: (one) => webSocketOf(one).terminate() },
  ...PEER_ENDS,
]

const STREAM_WRONG_CALLS: readonly WrongCall[] = [
  { name: 'write(null)', call: (one) => streamOf(one).write(null as never) },
  { name: 'write(7)', call: (one) => streamOf(one).write(7 as never) },
  { name: 'write({})', call: (one) => streamOf(one).write({} as never, () => {}) },
  { name: "write('x', 'klingon')", call: (one) => streamOf(one).write('x', 'klingon' as never) },
  { name: 'end(7)', call: (one) => streamOf(one).end(7 as never) },
]
const WEBSOCKET_WRONG_CALLS: readonly WrongCall[] = [
  { name: 'send({})', call: (one) => webSocketOf(one).send({} as never) },
  { name: 'send(true)', call: (one) => webSocketOf(one).send(true as never, () => {}) },
  { name: 'send(Symbol())', call: (one) => webSocketOf(one).send(Symbol('x') as never) },
  { name: 'close(7)', call: (one) => webSocketOf(one).close(7) },
  { name: 'ping({})', call: (one) => webSocketOf(one).ping({} as never) },
]

function lacksOf(kind: Kind): Partial<Record<Feature, string>> {
  const lacks: Partial<Record<Feature, string>> = {}
  if (encrypted(kind)) lacks.atOnce = 'TLS completes no write within the call'
  if (kind === 'ws+deflate') {
    lacks.atOnce = 'a compressed message is written in a later turn'
    lacks.exactEnd = 'the length of a compressed message on the wire is not known'
  }
  if (isWebSocketKind(kind)) {
    lacks.drainEvent = 'a WebSocket emits no event when its buffer is empty'
    lacks.lastMessage = 'close() of a WebSocket takes a reason, not a message'
  } else lacks.frames = 'a stream has no frames of its own'
  return lacks
}

/** Node and ws set these; enough to see that a connection is what the test is named for. */
interface Marks {
  readonly encrypted?: boolean
  readonly server?: object | null
  readonly remoteFamily?: string
  readonly extensions?: string
}

function proof(kind: Kind, side: Side, connection: Connection): { found: unknown; wanted: unknown } {
  const marks = connection.socket as Marks
  const under = connection.touched.at(-1) as Marks
  return {
    found: {
      ours: under.server ? 'server' : 'client',
      encrypted: under.encrypted === true,
      hasAddress: under.remoteFamily !== undefined,
      compressed: marks.extensions?.startsWith('permessage-deflate') ?? false,
      layers: connection.touched.length,
    },
    wanted: {
      ours: side,
      encrypted: encrypted(kind),
      hasAddress: kind !== 'ipc',
      compressed: kind === 'ws+deflate',
      layers: isWebSocketKind(kind) ? 2 : 1,
    },
  }
}

/** A socket of Node or a WebSocket of `ws`, guarded by `wrapSocket`. */
function subjectOf(kind: Kind, side: Side): Subject {
  const framed = isWebSocketKind(kind)
  return {
    kind,
    side,
    lacks: lacksOf(kind),
    refused: framed ? undefined : false,
    throwsWhenClosed: false,
    framed,
    sealed: encrypted(kind),
    doors: framed ? ['send', 'close', 'terminate'] : ['write', 'end'],
    ends: framed ? WEBSOCKET_ENDS : STREAM_ENDS,
    wrongCalls: framed ? WEBSOCKET_WRONG_CALLS : STREAM_WRONG_CALLS,
    open: async () =>
      (framed ? webSocketConnection : streamConnection)(await openLink(kind, { side, level: 0 })),
    guard: ({ socket }, options: WrapOptions) => void wrapSocket(socket as net.Socket, options),
    unguard: ({ socket }) => void unwrapSocket(socket),
    proof: (connection) => proof(kind, side, connection),
  }
}

const kinds: readonly Kind[] = ['tcp', 'tls', 'ipc', 'ws', 'ws+deflate', 'wss']
export const SUBJECTS: readonly Subject[] = kinds.flatMap((kind) => [
  subjectOf(kind, 'server'),
  subjectOf(kind, 'client'),
])
