import { once } from 'node:events'
import { connect, createServer, Socket } from 'node:net'
import { type Test, test } from 'tap'
import { type Link, openLink, type StreamKind } from '../../../test/fixtures/link.ts'
import {
  type SendFailError,
  socketStatus,
  streamTransport,
  type WrapOptions,
  wrapSocket,
} from '../src/index.ts'
import { checkLaw, failed } from './fixtures/books.ts'

const KINDS = ['tcp', 'tls', 'ipc'] as const
const MB = 1024 * 1024
const LARGE = Buffer.alloc(16 * MB, 'x')

async function wrapped(t: Test, kind: StreamKind, options: number | WrapOptions): Promise<Link<Socket>> {
  const link = await openLink(kind)
  t.teardown(() => link.dispose())
  wrapSocket(link.socket, options)
  return link
}

for (const kind of KINDS) {
  test(`${kind} is counted in its own series`, async (t) => {
    const link = await wrapped(t, kind, MB)
    const unix = process.platform === 'win32' ? 'pipe' : 'unix'
    t.strictSame(streamTransport.series(link.socket), {
      meter: '@sendfail/net',
      transport: kind === 'ipc' ? unix : 'tcp',
      protocol: null,
    })
  })

  test(`${kind}: the last message, given to end(), is counted and never refused`, async (t) => {
    const link = await wrapped(t, kind, 1000)
    link.peer.pause()
    link.socket.write(LARGE)
    let ended = 0
    t.equal(
      link.socket.end('last', () => ended++),
      link.socket,
    )
    t.match(checkLaw(t, link.socket), { attempted: 2, pending: 2, failed: 0, closedBy: 'server' })
    link.peer.resume()
    await link.peer.gone
    link.peer.close()
    await link.closed
    t.equal(link.peer.receivedBytes(), LARGE.length + 4)
    t.match(checkLaw(t, link.socket), { sent: 2, sentBytes: LARGE.length + 4, failed: 0 })
    t.equal(ended, 1)
  })

  test(`${kind}: the last message is lost with what is pending`, async (t) => {
    const link = await wrapped(t, kind, 1000)
    link.peer.pause()
    link.socket.write(LARGE)
    link.socket.end('last', 'utf8')
    link.socket.destroy()
    const status = checkLaw(t, link.socket)
    t.equal(failed(status, 'server_closed', 'lost'), 2)
    t.match(status, { attempted: 2, attemptedBytes: LARGE.length + 4 })
  })

  for (const [what, end, bytes] of [
    ['nothing', [], 0],
    ['null', [null], 0],
    ['a callback', [() => {}], 0],
  ] as const) {
    test(`${kind}: end(${what}) closes and counts no message`, async (t) => {
      const link = await wrapped(t, kind, MB)
      Reflect.apply(link.socket.end, link.socket, end)
      t.match(checkLaw(t, link.socket), { attempted: bytes, closedBy: 'server' })
      link.peer.close()
      await link.closed
    })
  }

  test(`${kind}: end('') counts a message of no bytes, sent`, async (t) => {
    const link = await wrapped(t, kind, MB)
    link.socket.end('')
    link.peer.close()
    await link.closed
    t.match(checkLaw(t, link.socket), { attempted: 1, sent: 1, sentBytes: 0 })
  })

  test(`${kind}: end(5) throws as on a bare socket and counts nothing`, async (t) => {
    const link = await wrapped(t, kind, MB)
    t.throws(() => link.socket.end(5 as never), { code: 'ERR_INVALID_ARG_TYPE' })
    t.match(checkLaw(t, link.socket), { attempted: 0 })
  })

  test(`${kind}: end(chunk) after end() is refused with server_closed, without an 'error'`, async (t) => {
    const link = await wrapped(t, kind, MB)
    link.socket.on('error', (error) => t.fail(error))
    link.socket.end('last')
    const refused = await new Promise<SendFailError>((resolve) =>
      link.socket.end('late', 'utf8', ((error: SendFailError) => resolve(error)) as never),
    )
    t.match(refused, { reason: 'server_closed', stage: 'refused', bytes: 4 })
    link.peer.close()
    await link.closed
    t.equal(Buffer.concat(link.peer.received).toString(), 'last')
    t.match(checkLaw(t, link.socket), { attempted: 2, sent: 1, failed: 1 })
  })

  test(`${kind}: end(chunk) after the peer's FIN and close is refused with client_closed`, async (t) => {
    const link = await wrapped(t, kind, MB)
    link.peer.close()
    await link.closed
    link.socket.end('late')
    t.equal(failed(checkLaw(t, link.socket), 'client_closed', 'refused'), 1)
  })
}

for (const [platform, transport] of [
  ['win32', 'pipe'],
  ['linux', 'unix'],
] as const) {
  test(`an IPC socket on ${platform} is counted as ${transport}`, async (t) => {
    const link = await openLink('ipc')
    const found = Object.getOwnPropertyDescriptor(process, 'platform') as PropertyDescriptor
    t.teardown(() => link.dispose())
    Object.defineProperty(process, 'platform', { ...found, value: platform })
    const series = streamTransport.series(link.socket)
    Object.defineProperty(process, 'platform', found)
    t.equal(series.transport, transport)
  })
}

test('observe: end(chunk) after end() is counted, and otherwise as on a bare socket', async (t) => {
  const link = await wrapped(t, 'tcp', { onFull: 'observe' })
  link.socket.end()
  const error = await new Promise<NodeJS.ErrnoException>((resolve) =>
    link.socket.end('late', ((error: Error) => resolve(error)) as never),
  )
  t.equal(error.code, 'ERR_STREAM_WRITE_AFTER_END')
  t.equal(failed(checkLaw(t, link.socket), 'server_closed', 'refused'), 1)
})

for (const kind of KINDS) {
  test(`${kind}: an owner that removes all listeners harms nothing`, async (t) => {
    const link = await openLink(kind)
    wrapSocket(link.socket, Number.POSITIVE_INFINITY)
    link.peer.pause()
    link.socket.write(LARGE)
    link.socket.write(LARGE)
    link.socket.removeAllListeners()
    link.socket.on('error', () => {})
    link.socket.destroy()
    t.match(checkLaw(t, link.socket), { pending: 0, failed: 2, closedBy: 'server' })
    link.peer.reset()
    await link.peer.gone
  })
}

test('a write put over the guarded one before the peer’s FIN survives it', async (t) => {
  const link = await wrapped(t, 'tcp', MB)
  const { socket } = link
  const inner = socket.write
  let calls = 0
  socket.write = function (this: Socket, ...args: Parameters<Socket['write']>) {
    calls++
    return inner.apply(this, args)
  } as Socket['write']
  link.peer.close()
  await link.closed
  socket.write('late')
  t.equal(calls, 1)
  t.equal(failed(checkLaw(t, socket), 'client_closed', 'refused'), 1)
})

test('a socket whose write was replaced forgets the replacement when it connects again, as a bare one does', async (t) => {
  const socket = wrapSocket(new Socket())
  t.teardown(() => socket.destroy())
  socket.write = (() => true) as Socket['write']
  const server = createServer((peer) => peer.resume()).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  socket.connect((server.address() as { port: number }).port, '127.0.0.1')
  await once(socket, 'connect')
  socket.write('counted')
  t.match(checkLaw(t, socket), { attempted: 1, sent: 1 })
})

test('a client socket is guarded as a server’s is', async (t) => {
  const server = createServer((peer) => peer.end()).listen(0, '127.0.0.1')
  t.teardown(() => server.close())
  await once(server, 'listening')
  const socket = wrapSocket(connect((server.address() as { port: number }).port, '127.0.0.1'))
  socket.resume()
  await once(socket, 'close')
  t.equal(socketStatus(socket).closedBy, 'client')
  socket.write('late')
  t.equal(failed(checkLaw(t, socket), 'client_closed', 'refused'), 1)
})
