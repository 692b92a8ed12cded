import { EventEmitter, once } from 'node:events'
import { Socket } from 'node:net'
import { type Test, test } from 'tap'
import {
  guardServer,
  type ServerKind,
  type ServerLimit,
  socketStatus,
  type WrapOptions,
  wrapSocket,
} from '../src/index.ts'

class Server extends EventEmitter {}

/** The least that an adapter says of a kind of server. */
const KIND: ServerKind<Server, Socket, [string?]> = {
  check() {},
  guard: (socket, limit) => void wrapSocket(socket, limit as WrapOptions),
  fallback: undefined,
  attach(server, accept) {
    server.prependListener('connection', accept)
    return () => void server.off('connection', accept)
  },
}

function connect(t: Test, server: Server, ...rest: string[]): Socket {
  const socket = new Socket()
  t.teardown(() => socket.destroy())
  server.emit('connection', socket, ...rest)
  return socket
}

const limitOf = (socket: Socket): number | null => {
  try {
    return socketStatus(socket).limitBytes
  } catch {
    return null
  }
}

const warning = async (): Promise<Error & { code?: string; detail?: string }> =>
  (await once(process, 'warning'))[0]

for (const [what, limit, expected] of [
  ['a number', 1000, 1000],
  ['options', { maxSendBufferSize: 2000 }, 2000],
  ['undefined', undefined, 1_048_576],
  ['a function of the connection that returns a number', () => 3000, 3000],
  ['a function of the connection that returns options', () => ({ maxSendBufferSize: 4000 }), 4000],
  ['a function of the connection that returns undefined', () => undefined, 1_048_576],
] as const) {
  test(`with ${what} every connection accepted from now on is guarded, until stop()`, async (t) => {
    const server = new Server()
    const before = connect(t, server)
    const handle = guardServer(server, limit as ServerLimit<Socket, [string?]>, KIND)
    t.equal(handle.server, server)
    const socket = connect(t, server)
    handle.stop()
    const after = connect(t, server)
    t.strictSame([before, socket, after].map(limitOf), [null, expected, null])
    t.equal(server.listenerCount('connection'), 0)
    t.strictSame(Reflect.ownKeys(server), Reflect.ownKeys(new Server()))
    handle.stop()
  })
}

test('the function gets the socket and what the server adds', async (t) => {
  const server = new Server()
  const calls: unknown[] = []
  guardServer(
    server,
    (...args) => {
      calls.push(args)
      return 5
    },
    KIND,
  )
  const socket = connect(t, server, 'request')
  server.emit('connection', socket, 'again')
  t.strictSame(calls, [[socket, 'request']])
})

test('a server that is guarded again takes the new limit and keeps its handle', async (t) => {
  const server = new Server()
  const handle = guardServer(server, 1000, KIND)
  t.equal(guardServer(server, 2000, KIND), handle)
  t.equal(server.listenerCount('connection'), 1)
  t.equal(limitOf(connect(t, server)), 2000)
  handle[Symbol.dispose]()
  t.equal(limitOf(connect(t, server)), null)
  t.not(guardServer(server, 1, KIND), handle, 'after stop() it is a server like any other')
})

test('a connection that was waiting for its turn when stop() was called stays bare', async (t) => {
  const server = new Server()
  const handle = guardServer(server, 1000, KIND)
  server.prependListener('connection', () => handle.stop())
  t.equal(limitOf(connect(t, server)), null)
})

test('bad options throw at once and guard nothing', async (t) => {
  const server = new Server()
  for (const [limit, code] of [
    [0, 'ERR_SEND_FAIL_LIMIT'],
    ['1024', 'ERR_SEND_FAIL_LIMIT'],
    [{ onFull: 'explode' }, 'ERR_SEND_FAIL_OPTION'],
    [{ limit: 5 }, 'ERR_SEND_FAIL_OPTION'],
  ] as const)
    t.throws(() => guardServer(server, limit as never, KIND), { code })
  t.equal(server.listenerCount('connection'), 0)
})

test('options that the kind of server cannot have throw at once', async (t) => {
  const mine = new Error('not here')
  const kind = {
    ...KIND,
    check({ onFull }: WrapOptions<Socket>) {
      if (onFull === 'drop') throw mine
    },
  }
  t.throws(() => guardServer(new Server(), { onFull: 'drop' }, kind), mine)
  t.doesNotThrow(() => guardServer(new Server(), { onFull: 'close' }, kind))
})

for (const [what, limit, code, detail] of [
  [
    'throws',
    () => {
      throw new Error('mine')
    },
    'ERR_SEND_FAIL_CALLBACK',
    /Error: mine/,
  ],
  [
    'throws undefined',
    () => {
      throw undefined
    },
    'ERR_SEND_FAIL_CALLBACK',
    /^undefined$/,
  ],
  ['returns 0', () => 0, 'ERR_SEND_FAIL_LIMIT', /maxSendBufferSize must be .*; received 0/],
  ['returns text', () => '1024', 'ERR_SEND_FAIL_LIMIT', /limit must be .*; received '1024'/],
  [
    'returns a wrong option',
    () => ({ onFull: 'x' }),
    'ERR_SEND_FAIL_OPTION',
    /onFull must be .*; received 'x'/,
  ],
  [
    'returns a promise',
    () => Promise.resolve(5),
    'ERR_SEND_FAIL_LIMIT',
    /the limit of a connection must be .*given at once; received an object \(Promise\)/,
  ],
  ['is async and throws', () => Promise.reject(new Error('mine')), 'ERR_SEND_FAIL_LIMIT', /\(Promise\)/],
] as const) {
  test(`a function that ${what} becomes one warning with ${code}, and the connection has the defaults`, async (t) => {
    const server = new Server()
    guardServer(server, limit as never, KIND)
    let warnings = 0
    const count = () => {
      warnings++
    }
    process.on('warning', count)
    t.teardown(() => process.off('warning', count))
    const warned = warning()
    t.equal(limitOf(connect(t, server)), 1_048_576)
    t.equal(limitOf(connect(t, server)), 1_048_576)
    const { code: received, detail: said, name } = await warned
    t.strictSame([name, received], ['SendFailWarning', code])
    t.match(said, detail)
    await new Promise(setImmediate)
    t.equal(warnings, 1)
    guardServer(server, limit as never, KIND)
    const again = warning()
    connect(t, server)
    t.equal((await again).code, code, 'a new function is warned of anew')
  })
}

test('a connection that cannot be guarded at all stays as it is', async (t) => {
  const server = new Server()
  guardServer(server, 5, KIND)
  const warned = warning()
  t.doesNotThrow(() => server.emit('connection', {}))
  t.equal((await warned).code, 'ERR_SEND_FAIL_SOCKET')
})
