import { once } from 'node:events'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import net, { type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Test, test } from 'tap'
import { WebSocket, WebSocketServer } from 'ws'
import {
  type Kind,
  type Link,
  openLink,
  type StreamKind,
  type WebSocketKind,
} from '../../../test/fixtures/link.ts'
import { GUARD } from '../src/guard.ts'
import {
  DEFAULT_MAX_SEND_BUFFER_SIZE,
  guardServer,
  Registry,
  registry,
  type Snapshot,
  setDefaultMaxSendBufferSize,
  snapshot,
  socketStatus,
  unwrapSocket,
  type WrapOptions,
  type WrappableSocket,
  wrapSocket,
} from '../src/index.ts'
import { checkLaw, failed, until } from './fixtures/books.ts'

const KINDS = ['tcp', 'tls', 'ipc', 'ws', 'ws+deflate', 'wss'] as const
const STREAM_KINDS = ['tcp', 'tls', 'ipc'] as const
const MB = 1024 * 1024
const LARGE = Buffer.alloc(16 * MB, 'x')

const thrown = (act: () => unknown): unknown => {
  try {
    act()
  } catch (error) {
    return error
  }
  return null
}

function open(t: Test, kind: StreamKind): Promise<Link<Socket>>
function open(t: Test, kind: WebSocketKind): Promise<Link<WebSocket>>
function open(t: Test, kind: Kind): Promise<Link>
async function open(t: Test, kind: Kind): Promise<Link> {
  const link = await openLink(kind)
  t.teardown(() => link.dispose())
  return link
}

const send = (link: Link, data: Buffer | string): unknown =>
  link.socket instanceof WebSocket ? link.socket.send(data) : link.socket.write(data)

// --- bad input

const notSockets: readonly (readonly [unknown, string])[] = [
  [undefined, 'undefined'],
  [null, 'null'],
  [5, '5'],
  ['socket', "'socket'"],
  [true, 'true'],
  [() => {}, 'a function (anonymous)'],
  [{}, 'an object (Object)'],
  [[], 'an object (Array)'],
  [Object.create(null), 'an object (null prototype)'],
  [process.stdout.constructor, `a function (${process.stdout.constructor.name})`],
  [new net.Server(), 'an object (Server)'],
  [new EventTarget(), 'an object (EventTarget)'],
  [{ send() {}, terminate() {}, ping() {} }, 'an object (Object)'],
  [{ send() {}, terminate() {}, ping() {}, readyState: '1' }, 'an object (Object)'],
  [{ send() {}, terminate() {}, readyState: 1 }, 'an object (Object)'],
  [{ send() {}, ping() {}, readyState: 1 }, 'an object (Object)'],
  [{ terminate() {}, ping() {}, readyState: 1 }, 'an object (Object)'],
]

for (const [value, shown] of notSockets) {
  test(`wrapSocket(${shown}) throws a TypeError with ERR_SEND_FAIL_SOCKET`, async (t) => {
    t.match(
      thrown(() => wrapSocket(value as Socket)),
      {
        constructor: TypeError,
        code: 'ERR_SEND_FAIL_SOCKET',
        message: `socket must be a net.Socket, a tls.TLSSocket or a ws WebSocket; received ${shown}`,
      },
    )
  })

  test(`socketStatus(${shown}) throws a TypeError with ERR_SEND_FAIL_NOT_WRAPPED`, async (t) => {
    t.match(
      thrown(() => socketStatus(value as Socket)),
      {
        constructor: TypeError,
        code: 'ERR_SEND_FAIL_NOT_WRAPPED',
        message: `socket must be a wrapped socket; received ${shown}`,
      },
    )
  })

  test(`unwrapSocket(${shown}) does nothing`, async (t) => {
    t.equal(unwrapSocket(value as Socket), value)
  })
}

const trap = (): never => {
  throw new Error('trap')
}
for (const [name, value] of [
  [
    'a getter that throws',
    {
      send() {},
      terminate() {},
      ping() {},
      get readyState() {
        return trap()
      },
    },
  ],
  ['a proxy that throws at every question', new Proxy({}, { get: trap, getPrototypeOf: trap, has: trap })],
] as const) {
  test(`wrapSocket of an object with ${name} throws a TypeError with ERR_SEND_FAIL_SOCKET`, async (t) => {
    t.match(
      thrown(() => wrapSocket(value as unknown as Socket)),
      { constructor: TypeError, code: 'ERR_SEND_FAIL_SOCKET' },
    )
  })
}

test('socketStatus and unwrapSocket of a bare socket: the one throws, the other does nothing', async (t) => {
  const socket = new net.Socket()
  t.match(
    thrown(() => socketStatus(socket)),
    { code: 'ERR_SEND_FAIL_NOT_WRAPPED', message: /received an object \(Socket\)$/ },
  )
  t.equal(unwrapSocket(socket), socket)
  t.strictSame(Reflect.ownKeys(socket), Reflect.ownKeys(new net.Socket()))
})

for (const [limit, code] of [
  [0, 'ERR_SEND_FAIL_LIMIT'],
  ['1024', 'ERR_SEND_FAIL_LIMIT'],
  [null, 'ERR_SEND_FAIL_LIMIT'],
  [{ maxSendBufferSize: Number.NaN }, 'ERR_SEND_FAIL_LIMIT'],
  [{ onFull: 'explode' }, 'ERR_SEND_FAIL_OPTION'],
  [{ limit: 5 }, 'ERR_SEND_FAIL_OPTION'],
] as const) {
  test(`a socket stays bare, and a wrapped one as it was, when ${JSON.stringify(limit)} throws ${code}`, async (t) => {
    const socket = new net.Socket()
    const before = Object.getOwnPropertyDescriptors(socket)
    t.match(
      thrown(() => wrapSocket(socket, limit as never)),
      { code },
    )
    t.strictSame(Object.getOwnPropertyDescriptors(socket), before)
    wrapSocket(socket, { maxSendBufferSize: 7, onFull: 'close' })
    t.match(
      thrown(() => wrapSocket(socket, limit as never)),
      { code },
    )
    t.equal(socketStatus(socket).limitBytes, 7)
    socket.destroy()
  })
}

for (const [value, shown, type] of [
  [undefined, 'undefined', TypeError],
  [null, 'null', TypeError],
  ['1024', "'1024'", TypeError],
  [{ maxSendBufferSize: 5 }, 'an object (Object)', TypeError],
  [10n, '10n', TypeError],
  [0, '0', RangeError],
  [-1, '-1', RangeError],
  [1.5, '1.5', RangeError],
  [Number.NaN, 'NaN', RangeError],
] as const) {
  test(`setDefaultMaxSendBufferSize(${shown}) throws a ${type.name} with ERR_SEND_FAIL_LIMIT`, async (t) => {
    t.match(
      thrown(() => setDefaultMaxSendBufferSize(value as number)),
      {
        constructor: type,
        code: 'ERR_SEND_FAIL_LIMIT',
        message: `bytes must be a positive integer (bytes) or Infinity; received ${shown}`,
      },
    )
    t.equal(registry.defaultLimitBytes, DEFAULT_MAX_SEND_BUFFER_SIZE)
  })
}

// --- wrapping

for (const kind of KINDS) {
  test(`wrapSocket works in place on ${kind} and returns the same object`, async (t) => {
    const link = await open(t, kind)
    t.equal(wrapSocket(link.socket), link.socket)
    t.match(checkLaw(t, link.socket), {
      attempted: 0,
      limitBytes: DEFAULT_MAX_SEND_BUFFER_SIZE,
      receiver: 'ok',
      closedBy: null,
    })
  })

  test(`wrapping ${kind} again counts nothing twice`, async (t) => {
    const before = snapshot()
    const link = await open(t, kind)
    for (let times = 0; times < 3; times++) wrapSocket(link.socket, 1000)
    t.equal(snapshot().connections.ok, before.connections.ok + 1)
    t.equal(snapshot().limitBytes, before.limitBytes + 1000)
    send(link, 'hello')
    await until(() => socketStatus(link.socket).pending === 0)
    t.match(checkLaw(t, link.socket), { attempted: 1, sent: 1, sentBytes: 5 })
    await link.dispose()
    t.equal(snapshot().connections.ok, before.connections.ok)
    t.equal(snapshot().limitBytes, before.limitBytes)
  })

  test(`unwrapSocket leaves ${kind} exactly as found`, async (t) => {
    const link = await open(t, kind)
    const things = [link.socket, link.under]
    const found = things.map((thing) => Object.getOwnPropertyDescriptors(thing))
    const listeners = () => things.map((thing) => thing.eventNames().map((name) => thing.listenerCount(name)))
    const listened = listeners()
    wrapSocket(link.socket)
    send(link, 'x')
    await until(() => socketStatus(link.socket).pending === 0)
    t.equal(unwrapSocket(link.socket), link.socket)
    t.strictSame(listeners(), listened)
    for (const [index, thing] of things.entries()) {
      t.strictSame(new Set(Reflect.ownKeys(thing)), new Set(Reflect.ownKeys(found[index] as object)))
      for (const name of ['write', 'end', '_destroy', 'send', 'close', 'terminate', GUARD] as const)
        t.strictSame(
          Object.getOwnPropertyDescriptor(thing, name),
          (found[index] as PropertyDescriptorMap)[name as string],
          String(name),
        )
    }
    send(link, 'bare')
    await until(() => Buffer.concat(link.peer.received).toString() === 'xbare')
    t.match(
      thrown(() => socketStatus(link.socket)),
      { code: 'ERR_SEND_FAIL_NOT_WRAPPED' },
    )
  })

  test(`unwrapping ${kind} with a backlog takes it out of the process's books, and it still arrives`, async (t) => {
    const before = snapshot()
    const link = await open(t, kind)
    wrapSocket(link.socket, Number.POSITIVE_INFINITY)
    link.peer.pause()
    for (let i = 0; i < 3; i++) send(link, LARGE)
    t.ok(checkLaw(t, link.socket).pending > 0)
    unwrapSocket(link.socket)
    unwrapSocket(link.socket)
    const after = snapshot()
    t.strictSame(
      [after.pending, after.pendingBytes, after.connections, after.limitBytes, after.failed],
      [before.pending, before.pendingBytes, before.connections, before.limitBytes, before.failed],
    )
    t.notOk([...registry.backlogged].some((one) => (one as { socket?: unknown }).socket === link.socket))
    link.peer.resume()
    await until(() => link.peer.receivedBytes() === 3 * LARGE.length)
    t.equal(snapshot().sent, after.sent, 'nothing is counted any more')
  })

  test(`a ${kind} wrapped after its end refuses with server_closed`, async (t) => {
    const before = snapshot()
    const link = await open(t, kind)
    if (link.socket instanceof WebSocket) link.socket.terminate()
    else link.socket.destroy()
    await link.closed
    wrapSocket(link.socket)
    t.match(snapshot(), { connections: before.connections, limitBytes: before.limitBytes })
    send(link, 'x')
    const status = checkLaw(t, link.socket)
    t.match(status, { attempted: 1, failed: 1, closedBy: 'server' })
    t.equal(failed(status, 'server_closed', 'refused'), 1)
    wrapSocket(link.socket, 5)
    t.equal(socketStatus(link.socket).limitBytes, 5)
    unwrapSocket(link.socket)
    t.match(snapshot(), { connections: before.connections, limitBytes: before.limitBytes })
  })
}

test('a number changes only the limit, and options are merged', async (t) => {
  const link = await open(t, 'tcp')
  const failures: string[] = []
  const onSendFail: WrapOptions['onSendFail'] = ({ reason }) => failures.push(reason)
  wrapSocket(link.socket, { maxSendBufferSize: 1000, admission: 'strict', onSendFail })
  wrapSocket(link.socket, 10)
  link.socket.write('x'.repeat(11))
  t.strictSame(failures, ['too_large'], 'the new limit, strict as before, told as before')
  wrapSocket(link.socket, { admission: 'lenient' })
  link.socket.write('x'.repeat(11))
  t.match(checkLaw(t, link.socket), { limitBytes: 10, sent: 1, failed: 1 })
  wrapSocket(link.socket)
  wrapSocket(link.socket, { maxSendBufferSize: undefined, onSendFail: undefined })
  t.equal(socketStatus(link.socket).limitBytes, 10, 'nothing given changes nothing')
  wrapSocket(link.socket, { admission: 'strict' })
  link.socket.write('x'.repeat(11))
  t.strictSame(failures, ['too_large', 'too_large'])
})

test('a limit of Infinity adds nothing to the sum of limits, and can be changed to a finite one and back', async (t) => {
  const before = snapshot().limitBytes
  const link = await open(t, 'tcp')
  wrapSocket(link.socket, Number.POSITIVE_INFINITY)
  t.equal(snapshot().limitBytes, before)
  wrapSocket(link.socket, 5)
  t.equal(snapshot().limitBytes, before + 5)
  wrapSocket(link.socket, Number.POSITIVE_INFINITY)
  t.equal(snapshot().limitBytes, before)
})

test('setDefaultMaxSendBufferSize(2000) holds for later wraps without a limit only', async (t) => {
  t.teardown(() => setDefaultMaxSendBufferSize(DEFAULT_MAX_SEND_BUFFER_SIZE))
  const sockets = [0, 1, 2, 3].map(() => new net.Socket())
  const [first, second, third, fourth] = sockets as [Socket, Socket, Socket, Socket]
  wrapSocket(first)
  setDefaultMaxSendBufferSize(2000)
  wrapSocket(first)
  wrapSocket(second)
  wrapSocket(third, 5)
  wrapSocket(fourth, { onFull: 'close' })
  t.strictSame(
    sockets.map((socket) => socketStatus(socket).limitBytes),
    [DEFAULT_MAX_SEND_BUFFER_SIZE, 2000, 5, 2000],
  )
  setDefaultMaxSendBufferSize(Number.POSITIVE_INFINITY)
  t.equal(socketStatus(wrapSocket(new net.Socket())).limitBytes, Number.POSITIVE_INFINITY)
  for (const socket of sockets) socket.destroy()
})

test('wrapping wakes whoever waits for a socket', async (t) => {
  let woken = 0
  const waker = () => {
    woken++
  }
  registry.wakers.add(waker)
  t.teardown(() => registry.wakers.delete(waker))
  const link = await open(t, 'tcp')
  wrapSocket(link.socket)
  t.equal(woken, 1)
})

for (const kind of STREAM_KINDS) {
  test(`what ${kind} already held when it was wrapped fills the buffer but is nobody's message`, async (t) => {
    const link = await open(t, kind)
    link.peer.pause()
    link.socket.write(LARGE)
    wrapSocket(link.socket, MB)
    t.equal(link.socket.write('more'), false)
    const status = checkLaw(t, link.socket)
    t.match(status, { attempted: 1, pendingBytes: 0 })
    t.equal(failed(status, 'buffer_full', 'refused'), 1)
    const drained = once(link.socket, 'drain')
    link.peer.resume()
    await drained
    t.equal(link.socket.write('again'), true)
    await until(() => link.peer.receivedBytes() === LARGE.length + 5)
    t.match(checkLaw(t, link.socket), { sent: 1, sentBytes: 5 })
  })
}

// --- own properties found before, or put over since

for (const kind of STREAM_KINDS) {
  test(`own write, end and _destroy of ${kind} are called, and put back as they were`, async (t) => {
    const link = await open(t, kind)
    const { socket } = link
    const calls: string[] = []
    for (const name of ['write', 'end', '_destroy'] as const) {
      const inherited = socket[name] as (...args: unknown[]) => unknown
      Object.defineProperty(socket, name, {
        configurable: true,
        enumerable: name === 'end',
        writable: true,
        value(this: Socket, ...args: unknown[]) {
          calls.push(name)
          return inherited.apply(this, args)
        },
      })
    }
    const found = Object.getOwnPropertyDescriptors(socket)
    wrapSocket(socket)
    socket.write('a')
    t.strictSame(calls, ['write'])
    unwrapSocket(socket)
    for (const name of ['write', 'end', '_destroy'] as const)
      t.strictSame(Object.getOwnPropertyDescriptor(socket, name), found[name], name)
    wrapSocket(socket)
    socket.end('b')
    await until(() => link.peer.receivedBytes() === 2)
    await link.dispose()
    t.strictSame(calls, ['write', 'end', '_destroy'])
    t.match(checkLaw(t, socket), { attempted: 1, sent: 1 })
  })
}

test('own accessors called end and _destroy are called, and put back as they were', async (t) => {
  const link = await open(t, 'tcp')
  const { socket } = link
  for (const name of ['end', '_destroy'] as const) {
    const inherited = socket[name]
    Object.defineProperty(socket, name, { configurable: true, get: () => inherited })
  }
  const found = Object.getOwnPropertyDescriptors(socket)
  wrapSocket(socket)
  unwrapSocket(socket)
  for (const name of ['end', '_destroy'] as const)
    t.strictSame(Object.getOwnPropertyDescriptor(socket, name), found[name], name)
  wrapSocket(socket)
  t.equal(
    thrown(() => socket.end('last')),
    null,
  )
  t.equal(
    thrown(() => socket.destroy()),
    null,
  )
})

test('a write that somebody put over the guarded one stays theirs, wrapped and unwrapped', async (t) => {
  const link = await open(t, 'tcp')
  const { socket } = link
  wrapSocket(socket)
  const ours = socket.write
  const theirs = function (this: Socket, chunk: string) {
    return ours.call(this, `<${chunk}>`)
  } as Socket['write']
  socket.write = theirs
  t.equal(socket.write, theirs)
  socket.write('a')
  t.match(checkLaw(t, socket), { attempted: 1, sentBytes: 3 })
  unwrapSocket(socket)
  t.equal(socket.write, theirs)
  socket.write('b')
  await until(() => link.peer.receivedBytes() === 6)
  t.equal(Buffer.concat(link.peer.received).toString(), '<a><b>')
})

test('an end and a _destroy that somebody put over the guarded ones stay theirs', async (t) => {
  const link = await open(t, 'tcp')
  const { socket } = link
  wrapSocket(socket)
  const { end, _destroy } = socket
  const theirEnd = function (this: Socket, chunk: string) {
    return end.call(this, `${chunk}!`)
  } as Socket['end']
  const theirDestroy: Socket['_destroy'] = function (this: Socket, error, callback) {
    _destroy.call(this, error, callback)
  }
  socket.end = theirEnd
  socket._destroy = theirDestroy
  unwrapSocket(socket)
  t.equal(socket.end, theirEnd)
  t.equal(socket._destroy, theirDestroy)
  socket.end('a' as never)
  link.peer.close()
  await link.closed
  t.equal(Buffer.concat(link.peer.received).toString(), 'a!', 'what is left of ours is a bare call')
})

test('a guarded write that is called after unwrapSocket is a bare write', async (t) => {
  const link = await open(t, 'tcp')
  wrapSocket(link.socket)
  const { write } = link.socket
  unwrapSocket(link.socket)
  t.equal(write.call(link.socket, 'held'), true)
  await until(() => link.peer.receivedBytes() === 4)
})

for (const [name, ws] of [
  ['send', (socket: WebSocket, ours: (...args: never[]) => unknown) => Reflect.apply(ours, socket, ['x'])],
  ['close', (socket: WebSocket, ours: (...args: never[]) => unknown) => Reflect.apply(ours, socket, [1000])],
  ['terminate', (socket: WebSocket, ours: (...args: never[]) => unknown) => Reflect.apply(ours, socket, [])],
] as const) {
  test(`a guarded ${name} that is called after unwrapSocket is a bare ${name}`, async (t) => {
    const link = await open(t, 'ws')
    wrapSocket(link.socket)
    const ours = link.socket[name]
    unwrapSocket(link.socket)
    ws(link.socket, ours)
    if (name === 'send') await until(() => link.peer.received.length === 1)
    else await link.closed
    t.pass()
  })
}

test('a socket that had the FIN is left with the write that Node has put on it', async (t) => {
  const link = await openLink('tcp')
  const bare = await openLink('tcp')
  for (const { socket } of [link, bare]) {
    socket.pause()
    socket.cork()
    t.teardown(() => socket.destroy())
  }
  wrapSocket(link.socket)
  for (const { peer, socket } of [link, bare]) {
    peer.close()
    socket.write('x')
    socket.resume()
    await once(socket, 'end')
  }
  const expected = Object.getOwnPropertyDescriptor(bare.socket, 'write')
  t.equal(expected?.value.name, 'writeAfterFIN')
  unwrapSocket(link.socket)
  t.strictSame(Object.getOwnPropertyDescriptor(link.socket, 'write'), expected)
})

// --- connecting

async function listening(
  t: Test,
  accept: (socket: Socket) => unknown = () => {},
): Promise<{ port: number; accepted: Socket[] }> {
  const accepted: Socket[] = []
  const server = net.createServer((socket) => {
    accepted.push(socket)
    accept(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    for (const socket of accepted) socket.destroy()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, accepted }
}

test('what is written while connecting is pending, and then sent', async (t) => {
  const { port, accepted } = await listening(t)
  const socket = net.connect(port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  wrapSocket(socket)
  const done: unknown[] = []
  socket.write('a', (error) => done.push(error))
  socket.write('bc')
  t.match(checkLaw(t, socket), { pending: 2, pendingBytes: 3, sent: 0 })
  await once(socket, 'connect')
  await until(() => socketStatus(socket).sent === 2)
  t.match(checkLaw(t, socket), { pending: 0, sent: 2, sentBytes: 3 })
  socket.write('d')
  t.match(checkLaw(t, socket), { sent: 3 }, 'at once from now on')
  await until(() => (accepted[0]?.readableLength ?? 0) === 4)
  t.notOk(done[0])
})

test('what end() is given while connecting is pending, and then sent', async (t) => {
  const { port, accepted } = await listening(t)
  const socket = wrapSocket(net.connect(port, '127.0.0.1'))
  t.teardown(() => socket.destroy())
  socket.write('a')
  socket.end('last')
  t.match(checkLaw(t, socket), { pending: 2, pendingBytes: 5, closedBy: 'server' })
  await until(() => socketStatus(socket).sent === 2 && accepted[0]?.readableLength === 5)
  t.match(checkLaw(t, socket), { sent: 2, sentBytes: 5, failed: 0 })
})

test('a WebSocket that is closed while connecting is closed by this process', async (t) => {
  const before = snapshot()
  const { port } = await listening(t)
  const ws = wrapSocket(new WebSocket(`ws://127.0.0.1:${port}`))
  ws.on('error', () => {})
  ws.close()
  await new Promise((resolve) => ws.once('close', resolve))
  t.match(checkLaw(t, ws), { closedBy: 'server', attempted: 0 })
  t.match(snapshot(), { connections: before.connections })
})

test('a refused connect loses what was written with reason _OTHER and the cause', async (t) => {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  const socket = net.connect(port, '127.0.0.1')
  const causes: unknown[] = []
  wrapSocket(socket, { onSendFail: ({ cause }) => causes.push((cause as NodeJS.ErrnoException).code) })
  const done: unknown[] = []
  socket.write('a', (error) => done.push(error))
  socket.write('b')
  const [error] = await once(socket, 'error')
  t.equal(error.code, 'ECONNREFUSED')
  await until(() => socket.closed && done.length > 0)
  const status = checkLaw(t, socket)
  t.match(status, { attempted: 2, failed: 2, pending: 0, closedBy: 'error' })
  t.equal(failed(status, '_OTHER', 'lost'), 2)
  t.strictSame(causes, ['ECONNREFUSED', 'ECONNREFUSED'])
  t.strictSame([done.length, done[0] instanceof Error], [1, true])
})

test('a socket that connects again starts a new account under the same rules', async (t) => {
  const before = snapshot()
  const { port, accepted } = await listening(t)
  const socket = net.connect(port, '127.0.0.1')
  t.teardown(() => socket.destroy())
  wrapSocket(socket, 1234)
  socket.write('first')
  await until(() => socketStatus(socket).sent === 1)
  socket.destroy()
  await once(socket, 'close')
  t.match(checkLaw(t, socket), { attempted: 1, sent: 1, closedBy: 'server' })
  socket.connect(port, '127.0.0.1')
  t.match(checkLaw(t, socket), { attempted: 0, limitBytes: 1234, closedBy: null })
  socket.write('second')
  await until(() => socketStatus(socket).sent === 1)
  t.equal(socket.write('third'), true)
  t.match(checkLaw(t, socket), { attempted: 2, sent: 2, sentBytes: 11 })
  t.equal(snapshot().sent, before.sent + 3)
  t.equal(snapshot().connections.ok, before.connections.ok + 1)
  await until(() => accepted[1]?.readableLength === 11)
  unwrapSocket(socket)
  t.notOk(Object.hasOwn(socket, 'end'))
  t.equal(snapshot().connections.ok, before.connections.ok)
})

test('a socket that was never connected can be wrapped, and connected then', async (t) => {
  const { port, accepted } = await listening(t)
  const socket = wrapSocket(new net.Socket())
  t.teardown(() => socket.destroy())
  socket.connect(port, '127.0.0.1')
  socket.write('x')
  await until(() => accepted[0]?.readableLength === 1 && socketStatus(socket).sent === 1)
  t.match(checkLaw(t, socket), { attempted: 1, sent: 1, closedBy: null })
})

test('a WebSocket that is wrapped while connecting throws at send as a bare one, and counts from open on', async (t) => {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  await once(server, 'listening')
  t.teardown(() => server.close())
  const ws = wrapSocket(new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`))
  t.teardown(() => ws.terminate())
  t.throws(() => ws.send('early'), /CONNECTING/)
  t.match(checkLaw(t, ws), { attempted: 0 })
  await once(ws, 'open')
  ws.send('hello')
  t.match(checkLaw(t, ws), { attempted: 1, sent: 1 })
})

test('a WebSocket whose handshake fails ends with closedBy error', async (t) => {
  const before = snapshot()
  const server = http.createServer((_request, response) => response.end()).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const ws = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`)
  const found = Reflect.ownKeys(ws)
  wrapSocket(ws)
  unwrapSocket(ws)
  t.strictSame(Reflect.ownKeys(ws), found, 'unwrapped while connecting it is as found')
  t.equal(ws.listenerCount('open') + ws.listenerCount('close'), 0)
  wrapSocket(ws)
  ws.on('error', () => {})
  await new Promise((resolve) => ws.once('close', resolve))
  t.match(checkLaw(t, ws), { closedBy: 'error' })
  ws.send('late')
  t.equal(failed(checkLaw(t, ws), '_OTHER', 'refused'), 1)
  t.match(snapshot(), { connections: before.connections })
})

// --- a WebSocket and the socket under it

for (const kind of ['ws', 'ws+deflate', 'wss'] as const) {
  for (const order of ['the socket first', 'the WebSocket first'] as const) {
    test(`${kind}, ${order}: both wrapped count once, as a WebSocket`, async (t) => {
      const before = snapshot()
      const link = await open(t, kind)
      const both = [link.under, link.socket] as WrappableSocket[]
      if (order === 'the WebSocket first') both.reverse()
      for (const [index, one] of both.entries()) wrapSocket(one, 1000 + index)
      const after = snapshot()
      t.equal(after.connections.ok, before.connections.ok + 1)
      t.equal(socketStatus(link.socket).limitBytes, both[0] === link.socket ? 1000 : 1001)
      link.socket.send('hello')
      link.socket.ping()
      await until(() => snapshot().sent === before.sent + 1)
      t.match(checkLaw(t, link.socket), { attempted: 1, sent: 1, sentBytes: 5 })
      t.strictSame(
        socketStatus(link.under),
        socketStatus(link.socket),
        'the socket answers with its WebSocket',
      )
      const openIn = (all: Snapshot, meter: string) =>
        all.series.reduce((sum, one) => sum + (one.meter === meter ? one.connections.ok : 0), 0)
      t.equal(openIn(after, '@sendfail/ws'), openIn(before, '@sendfail/ws') + 1)
      t.equal(openIn(after, '@sendfail/net'), openIn(before, '@sendfail/net'))
      t.ok(after.series.some(({ meter, protocol }) => meter === '@sendfail/ws' && protocol === 'websocket'))
    })
  }
}

test('unwrapping the WebSocket gives its socket the guard back, with a new account', async (t) => {
  const before = snapshot()
  const link = await open(t, 'ws')
  const found = Object.getOwnPropertyDescriptors(link.under)
  wrapSocket(link.under, { maxSendBufferSize: 777, onFull: 'close' })
  wrapSocket(link.socket)
  link.socket.send('a')
  unwrapSocket(link.socket)
  t.match(checkLaw(t, link.under), { attempted: 0, limitBytes: 777 })
  t.equal(snapshot().connections.ok, before.connections.ok + 1)
  link.socket.send('b')
  await until(() => link.peer.received.length === 2)
  t.ok(checkLaw(t, link.under).sent > 0, 'now the socket counts')
  t.match(
    thrown(() => socketStatus(link.socket)),
    { code: 'ERR_SEND_FAIL_NOT_WRAPPED' },
  )
  unwrapSocket(link.under)
  for (const name of ['write', 'end', '_destroy'])
    t.strictSame(
      Object.getOwnPropertyDescriptor(link.under, name),
      (found as PropertyDescriptorMap)[name],
      name,
    )
  t.equal(snapshot().connections.ok, before.connections.ok)
})

test('unwrapping the socket under a wrapped WebSocket does nothing', async (t) => {
  const link = await open(t, 'ws')
  wrapSocket(link.socket)
  unwrapSocket(link.under)
  link.socket.send('a')
  t.match(checkLaw(t, link.socket), { attempted: 1, sent: 1 })
})

test('unwrapping a WebSocket after its end leaves nothing on either', async (t) => {
  const link = await open(t, 'ws')
  wrapSocket(link.under)
  wrapSocket(link.socket)
  link.socket.terminate()
  await link.closed
  unwrapSocket(link.socket)
  t.notOk(GUARD in link.socket)
  for (const name of ['send', 'close', 'terminate']) t.notOk(Object.hasOwn(link.socket, name), name)
})

// --- HTTP

async function httpSocket(
  t: Test,
): Promise<{ socket: Socket; response: http.ServerResponse; body: Promise<number> }> {
  const server = http.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const requested = once(server, 'request') as Promise<[http.IncomingMessage, http.ServerResponse]>
  const request = http.get({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', agent: false })
  const body = once(request, 'response').then(async ([incoming]) => {
    let bytes = 0
    for await (const chunk of incoming) bytes += chunk.length
    return bytes
  })
  const [{ socket }, response] = await requested
  t.teardown(() => {
    request.destroy()
    server.close()
    server.closeAllConnections()
  })
  return { socket, response, body }
}

test('a socket that carries HTTP is observed by default: nothing is cut out of a response', async (t) => {
  const { socket, response, body } = await httpSocket(t)
  wrapSocket(socket, 1000)
  response.write(LARGE)
  response.write(LARGE)
  response.end('done')
  t.equal(await body, 2 * LARGE.length + 4)
  const status = checkLaw(t, socket)
  t.ok(status.overLimit > 0)
  t.equal(status.failed, 0)
  t.ok(snapshot().series.some((one) => one.protocol === 'http' && one.overLimit >= status.overLimit))
})

test("onFull 'drop' on a socket that carries HTTP throws ERR_SEND_FAIL_HTTP_DROP and leaves it bare", async (t) => {
  const { socket, response, body } = await httpSocket(t)
  t.match(
    thrown(() => wrapSocket(socket, { onFull: 'drop' })),
    {
      constructor: TypeError,
      code: 'ERR_SEND_FAIL_HTTP_DROP',
      message: /^onFull must be 'close' or 'observe' on a socket that carries HTTP .*; received 'drop'$/,
    },
  )
  t.match(
    thrown(() => socketStatus(socket)),
    { code: 'ERR_SEND_FAIL_NOT_WRAPPED' },
  )
  wrapSocket(socket, { onFull: 'close' })
  t.match(
    thrown(() => wrapSocket(socket, { onFull: 'drop' })),
    { code: 'ERR_SEND_FAIL_HTTP_DROP' },
  )
  response.end('fine')
  t.equal(await body, 4)
})

test('a socket that was given the default before it carried HTTP is observed once it is wrapped again', async (t) => {
  const server = http.createServer((_request, response) => {
    wrapSocket(response.socket as Socket)
    response.write(LARGE)
    response.end(LARGE)
  })
  const { port } = await listening(t, (socket) => server.emit('connection', wrapSocket(socket, 1000)))
  const request = http.get({ port, host: '127.0.0.1', agent: false })
  const [incoming] = await once(request, 'response')
  let bytes = 0
  for await (const chunk of incoming) bytes += chunk.length
  t.equal(bytes, 2 * LARGE.length)
  server.closeAllConnections()
})

// --- two copies of the library

test('two copies of the library share one registry and know each other’s guards', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'copy-'))
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  writeFileSync(join(directory, 'package.json'), '{"type":"module"}')
  cpSync(new URL('../src', import.meta.url), join(directory, 'src'), { recursive: true })
  const copy: typeof import('../src/index.ts') = await import(
    pathToFileURL(join(directory, 'src', 'index.ts')).href
  )
  t.ok(copy.wrapSocket !== wrapSocket, 'it is a copy')
  t.equal(copy.registry, registry)
  t.ok(copy.Registry !== Registry)

  const before = snapshot()
  const link = await open(t, 'tcp')
  wrapSocket(link.socket, 1000)
  copy.wrapSocket(link.socket, 2000)
  link.socket.write('x')
  t.match(copy.socketStatus(link.socket), { attempted: 1, sent: 1, limitBytes: 2000 })
  t.strictSame(copy.snapshot(), snapshot())
  t.equal(snapshot().connections.ok, before.connections.ok + 1)
  copy.setDefaultMaxSendBufferSize(4321)
  t.teardown(() => setDefaultMaxSendBufferSize(DEFAULT_MAX_SEND_BUFFER_SIZE))
  t.equal(socketStatus(wrapSocket(new net.Socket())).limitBytes, 4321)
  copy.unwrapSocket(link.socket)
  t.notOk(GUARD in link.socket)
  t.notOk(Object.hasOwn(link.socket, 'write'))

  const ws = await open(t, 'ws')
  copy.wrapSocket(ws.under)
  wrapSocket(ws.socket)
  copy.wrapSocket(ws.socket, 5)
  ws.socket.send('y')
  t.match(copy.socketStatus(ws.under), { attempted: 1, sent: 1, limitBytes: 5 })

  const server = new net.Server()
  const kind = {
    check() {},
    guard() {},
    fallback: undefined,
    attach: () => () => {},
  }
  const handle = guardServer(server, 1, kind)
  t.equal(copy.guardServer(server, 2, kind), handle)
})
