import { type Test, test } from 'tap'
import { WebSocket, WebSocketServer } from 'ws'
import { type Link, openLink, type WebSocketKind } from '../../../test/fixtures/link.ts'
import { registry, type SendFailError, socketStatus, type WrapOptions, wrapSocket } from '../src/index.ts'
import { checkLaw, failed, turns, until } from './fixtures/books.ts'

const KINDS = ['ws', 'ws+deflate', 'wss'] as const
const MB = 1024 * 1024
const LARGE = Buffer.alloc(16 * MB, 'x')

async function open(t: Test, kind: WebSocketKind): Promise<Link<WebSocket>> {
  const link = await openLink(kind)
  t.teardown(() => link.dispose())
  return link
}

async function wrapped(
  t: Test,
  kind: WebSocketKind,
  options?: number | WrapOptions,
): Promise<Link<WebSocket>> {
  const link = await open(t, kind)
  wrapSocket(link.socket, options)
  return link
}

/** What the callback of a send reported. */
function outcome(ws: WebSocket, data: Buffer | string): Promise<Error | null | undefined> {
  return new Promise((resolve) => ws.send(data, resolve))
}

const settled = (link: Link) => until(() => socketStatus(link.socket).pending === 0)

/** Every kind of data that ws takes, and the bytes it becomes. */
const DATA: readonly (readonly [string, unknown, number])[] = [
  ['text', 'aä', 3],
  ['a Buffer', Buffer.from('abcd'), 4],
  ['an ArrayBuffer', new ArrayBuffer(5), 5],
  ['a view', new Uint16Array(3), 6],
  ['a Blob', new Blob(['abcdefg']), 7],
  ['a number', 12345678, 8],
  ['an array of bytes', [1, 2, 3, 4, 5, 6, 7, 8, 9], 9],
  ['nothing', undefined, 0],
  ['empty text', '', 0],
  ['an empty Blob', new Blob([]), 0],
]

for (const kind of KINDS) {
  for (const [what, data, bytes] of DATA) {
    test(`${kind}: ${what} of ${bytes} bytes arrives and is counted with them`, async (t) => {
      const link = await wrapped(t, kind, MB)
      link.socket.send(data as never)
      link.socket.send('end')
      await until(() => link.peer.received.length === 2)
      await settled(link)
      t.equal(link.peer.received[0]?.length, bytes)
      t.match(checkLaw(t, link.socket), { attempted: 2, sent: 2, sentBytes: bytes + 3, failed: 0 })
    })
  }

  for (const [what, close] of [
    ['open', () => {}],
    ['closing', (ws: WebSocket) => ws.close()],
  ] as const) {
    test(`${kind}: what ws cannot send throws as on a bare one that is ${what}, and counts nothing`, async (t) => {
      const link = await wrapped(t, kind, MB)
      const bare = await open(t, kind)
      for (const { socket } of [link, bare]) {
        close(socket)
        t.throws(() => socket.send({} as never), { code: 'ERR_INVALID_ARG_TYPE' })
      }
      t.match(checkLaw(t, link.socket), { attempted: 0 })
    })
  }

  test(`${kind}: an array-like with a size that is no number keeps the books in numbers`, async (t) => {
    const link = await wrapped(t, kind, MB)
    link.socket.send({ length: 3, size: 'large' } as never)
    await until(() => link.peer.received.length === 1)
    await settled(link)
    t.match(checkLaw(t, link.socket), { attempted: 1, sent: 1, sentBytes: 3 })
  })

  test(`${kind}: send(data, callback) and send(data, options, callback) call back once`, async (t) => {
    const link = await wrapped(t, kind, MB)
    const done: unknown[] = []
    link.socket.send('a', (error) => done.push(error))
    link.socket.send('b', { binary: true }, (error) => done.push(error))
    link.socket.send('c', { compress: false })
    await until(() => done.length === 2 && link.peer.received.length === 3)
    await settled(link)
    t.strictSame(done.filter(Boolean), [])
    t.match(checkLaw(t, link.socket), { sent: 3 })
  })

  test(`${kind}: a refused send gets the SendFailError on a later tick, and the next message is whole`, async (t) => {
    const link = await wrapped(t, kind, 1000)
    link.socket.on('error', (error) => t.fail(error))
    link.peer.pause()
    const noise = Buffer.from(Array.from({ length: 2 * MB }, () => Math.random() * 256))
    for (let i = 0; i < 10 && socketStatus(link.socket).failed === 0; i++) {
      link.socket.send(noise)
      await turns(20)
    }
    link.socket.send(noise)
    link.socket.send(noise)
    const { sent, pending } = socketStatus(link.socket)
    let called = false
    const refused = new Promise<SendFailError>((resolve) =>
      link.socket.send('abc', (error) => {
        called = true
        resolve(error as SendFailError)
      }),
    )
    t.notOk(called)
    t.match(await refused, {
      code: 'ERR_SEND_FAIL',
      reason: 'buffer_full',
      stage: 'refused',
      bytes: 3,
      limitBytes: 1000,
    })
    link.socket.ping()
    link.peer.resume()
    await settled(link)
    link.socket.send('whole')
    await until(() => link.peer.received.at(-1)?.toString() === 'whole')
    t.equal(link.peer.received.length, sent + pending + 1)
    t.ok(link.peer.received.slice(0, -1).every((message) => message.equals(noise)))
    checkLaw(t, link.socket)
  })

  test(`${kind}: a send after close() is refused with server_closed, and bufferedAmount grows as on a bare one`, async (t) => {
    const link = await wrapped(t, kind, 1000)
    const bare = await open(t, kind)
    for (const { socket } of [link, bare]) socket.close()
    t.match(await outcome(link.socket, 'late'), {
      code: 'ERR_SEND_FAIL',
      reason: 'server_closed',
      stage: 'refused',
    })
    await outcome(bare.socket, 'late')
    await Promise.all([link.closed, bare.closed])
    for (let i = 0; i < 500; i++) for (const { socket } of [link, bare]) socket.send('later')
    t.equal(link.socket.bufferedAmount, bare.socket.bufferedAmount)
    t.ok(link.socket.bufferedAmount > 1000)
    const status = checkLaw(t, link.socket)
    t.match(status, { closedBy: 'server', pending: 0, failed: 501, fullCount: 0 })
    t.equal(failed(status, 'server_closed', 'refused'), 501, 'closed is never reported as full')
  })

  test(`${kind}: a send after the peer's close frame is refused with client_closed`, async (t) => {
    const link = await wrapped(t, kind, MB)
    link.peer.close()
    await until(() => link.socket.readyState !== WebSocket.OPEN)
    t.match(await outcome(link.socket, 'late'), { reason: 'client_closed' })
    await link.closed
    t.match(await outcome(link.socket, 'later'), { reason: 'client_closed' })
    t.match(checkLaw(t, link.socket), { closedBy: 'client', failed: 2 })
  })

  test(`${kind}: a send on an open WebSocket whose socket was destroyed in the same tick is refused`, async (t) => {
    const link = await wrapped(t, kind, MB)
    link.under.destroy()
    t.equal(link.socket.readyState, WebSocket.OPEN)
    t.match(await outcome(link.socket, 'late'), { reason: 'server_closed', stage: 'refused' })
    link.socket.send('later', { binary: true })
    t.match(checkLaw(t, link.socket), { failed: 2, closedBy: 'server' })
    await link.closed
  })

  test(`${kind}: terminate() loses what is pending with server_closed`, async (t) => {
    const link = await wrapped(t, kind, Number.POSITIVE_INFINITY)
    link.peer.pause()
    link.socket.send(LARGE)
    link.socket.send(LARGE)
    const { pending } = socketStatus(link.socket)
    link.socket.terminate()
    link.socket.terminate()
    const status = checkLaw(t, link.socket)
    t.equal(failed(status, 'server_closed', 'lost'), pending)
    t.equal(status.closedBy, 'server')
    await link.closed
  })

  test(`${kind}: close() with a code that is not allowed throws as on a bare one and closes nothing`, async (t) => {
    const link = await wrapped(t, kind, MB)
    t.throws(() => link.socket.close(1))
    await turns()
    t.equal(socketStatus(link.socket).closedBy, null)
    t.equal(await outcome(link.socket, 'still open').then(Boolean), false)
    await settled(link)
    t.match(checkLaw(t, link.socket), { sent: 1 })
  })

  test(`${kind}: what waits before close() still arrives when the peer reads`, async (t) => {
    const link = await wrapped(t, kind, Number.POSITIVE_INFINITY)
    link.peer.pause()
    for (let i = 0; i < 3; i++) link.socket.send(LARGE)
    link.socket.close()
    link.socket.close()
    link.peer.resume()
    await Promise.all([link.closed, link.peer.gone])
    t.equal(link.peer.received.length, 3)
    t.match(checkLaw(t, link.socket), { sent: 3, failed: 0, closedBy: 'server' })
  })

  test(`${kind}: ping and pong are never refused and never counted`, async (t) => {
    const link = await wrapped(t, kind, 1)
    const pongs = new Promise<void>((resolve) => link.socket.once('pong', () => resolve()))
    link.peer.pause()
    link.socket.send(LARGE)
    link.socket.ping('beat')
    link.peer.resume()
    await pongs
    await settled(link)
    t.match(checkLaw(t, link.socket), { attempted: 1, sent: 1 })
  })

  test(`${kind}: observe counts a send after close(), and otherwise leaves it to ws`, async (t) => {
    const link = await wrapped(t, kind, { onFull: 'observe' })
    link.socket.close()
    const error = await outcome(link.socket, 'late')
    t.match(error, /WebSocket is not open: readyState 2/)
    t.equal(failed(checkLaw(t, link.socket), 'server_closed', 'refused'), 1)
  })

  test(`${kind}: observe refuses nothing above the limit`, async (t) => {
    const link = await wrapped(t, kind, { maxSendBufferSize: 1000, onFull: 'observe' })
    link.peer.pause()
    link.socket.send(LARGE)
    link.socket.send('over')
    link.peer.resume()
    await until(() => link.peer.received.length === 2)
    await settled(link)
    t.match(checkLaw(t, link.socket), { sent: 2, failed: 0, overLimit: 1 })
  })

  test(`${kind}: wrapped with a backlog it starts full, and nobody's message is counted`, async (t) => {
    const link = await open(t, kind)
    link.peer.pause()
    link.socket.send(LARGE)
    link.socket.send(LARGE)
    wrapSocket(link.socket, 1000)
    t.match(await outcome(link.socket, 'x'), { reason: 'buffer_full' })
    link.peer.resume()
    await until(() => link.socket.bufferedAmount === 0)
    registry.sweep()
    t.notOk(await outcome(link.socket, 'y'))
    await settled(link)
    t.match(checkLaw(t, link.socket), { attempted: 2, sent: 1, sentBytes: 1, failed: 1 })
  })

  test(`${kind}: a message at the limit and a corked socket take the long way and are sent`, async (t) => {
    const link = await wrapped(t, kind, 100)
    link.socket.send('x'.repeat(100))
    link.under.cork()
    link.socket.send('y')
    link.under.uncork()
    await until(() => link.peer.received.length >= 1)
    await settled(link)
    checkLaw(t, link.socket)
  })
}

for (const size of [1, 125, 126, 65_535, 65_536]) {
  test(`ws: a client's message of ${size} bytes behind a backlog is sent or lost whole`, async (t) => {
    const server = new WebSocketServer({ port: 0, host: '127.0.0.1' })
    t.teardown(() => server.close())
    const accepted = new Promise<WebSocket>((resolve) => server.once('connection', resolve))
    await new Promise((resolve) => server.once('listening', resolve))
    const ws = wrapSocket(
      new WebSocket(`ws://127.0.0.1:${(server.address() as { port: number }).port}`),
      Number.POSITIVE_INFINITY,
    )
    await new Promise((resolve) => ws.once('open', resolve))
    const far = await accepted
    far.pause()
    ws.send(LARGE)
    for (let i = 0; i < 10; i++) ws.send('x'.repeat(size))
    t.match(checkLaw(t, ws), { pending: 11, pendingBytes: LARGE.length + 10 * size })
    ws.terminate()
    t.match(checkLaw(t, ws), { pending: 0, failed: 11, closedBy: 'server' })
    far.terminate()
  })
}

test('ws: a send that the kernel refuses within the call is lost with client_closed', async (t) => {
  for (const limit of [1000, 100]) {
    const link = await wrapped(t, 'ws', limit)
    await turns()
    link.under.pause()
    ;(link.under as unknown as { _handle: { readStop(): void } })._handle.readStop()
    link.peer.reset()
    await link.peer.gone
    link.socket.send('x'.repeat(100))
    link.socket.send('x'.repeat(100))
    await link.closed
    const status = checkLaw(t, link.socket)
    t.match(status, { closedBy: 'client', pending: 0, attempted: 2, failed: 2 })
    t.equal(failed(status, 'client_closed', 'lost') + failed(status, 'client_closed', 'refused'), 2)
  }
})
