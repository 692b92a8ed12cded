import type { Socket } from 'node:net'
import { type Test, test } from 'tap'
import type { WebSocket } from 'ws'
import { type Link, openLink, type StreamKind } from '../../../test/fixtures/link.ts'
import { GUARD, type Guard } from '../src/guard.ts'
import { guardSocket, socketStatus, type Transport, type WrapOptions, wrapSocket } from '../src/index.ts'
import { checkLaw, failed, until } from './fixtures/books.ts'

const KINDS = ['tcp', 'tls', 'ipc'] as const
const WEBSOCKET_KINDS = ['ws', 'ws+deflate', 'wss'] as const
const LARGE = Buffer.alloc(16 * 1024 * 1024, 'x')

/** A wrapped stream that holds back what is written, so that what is pending is known to the byte. */
async function corked(t: Test, kind: StreamKind, options: number | WrapOptions): Promise<Link<Socket>> {
  const link = await openLink(kind)
  t.teardown(() => link.dispose())
  wrapSocket(link.socket, options)
  link.socket.cork()
  return link
}

/** Which of these sizes, written one after another, are accepted. */
function admitted({ socket }: Link<Socket>, sizes: readonly number[]): boolean[] {
  return sizes.map((size) => {
    const { failed } = socketStatus(socket)
    socket.write(Buffer.alloc(size))
    return socketStatus(socket).failed === failed
  })
}

for (const kind of KINDS) {
  test(`${kind}, lenient: a message is refused once the limit is reached, exactly`, async (t) => {
    const link = await corked(t, kind, 1000)
    t.strictSame(admitted(link, [999, 5000, 1]), [true, true, false])
    t.match(checkLaw(t, link.socket), { pendingBytes: 5999, failed: 1 })
    t.strictSame(admitted(await corked(t, kind, 1000), [1000, 1]), [true, false], 'at the limit')
  })

  test(`${kind}, strict: a message is refused that would exceed the limit, exactly`, async (t) => {
    const link = await corked(t, kind, { maxSendBufferSize: 1000, admission: 'strict' })
    t.strictSame(admitted(link, [600, 401, 400, 1, 0]), [true, false, true, false, true])
    const status = checkLaw(t, link.socket)
    t.match(status, { pendingBytes: 1000, fullCount: 1 })
    t.equal(failed(status, 'buffer_full', 'refused'), 2)
  })

  test(`${kind}, strict: a single message above the limit is too_large, also when the buffer is full`, async (t) => {
    const link = await corked(t, kind, { maxSendBufferSize: 1000, admission: 'strict' })
    t.strictSame(admitted(link, [1001, 1000, 1001]), [false, true, false])
    const status = checkLaw(t, link.socket)
    t.match(status.failures, [
      { reason: 'too_large', stage: 'refused', receiver: null, count: 2, bytes: 2002 },
    ])
  })

  test(`${kind}: too_large closes nothing, whatever onFull says`, async (t) => {
    const link = await corked(t, kind, { maxSendBufferSize: 1000, admission: 'strict', onFull: 'close' })
    t.strictSame(admitted(link, [1001, 10]), [false, true])
    t.match(checkLaw(t, link.socket), { closedBy: null, fullCount: 0 })
  })

  test(`${kind}: a limit that is changed holds for the next message`, async (t) => {
    const link = await corked(t, kind, 1000)
    t.strictSame(admitted(link, [1000, 1]), [true, false])
    wrapSocket(link.socket, 2000)
    t.strictSame(admitted(link, [1000, 1]), [true, false])
    wrapSocket(link.socket, 10)
    t.strictSame(admitted(link, [1]), [false])
    wrapSocket(link.socket, Number.POSITIVE_INFINITY)
    t.strictSame(admitted(link, [5_000_000]), [true])
    t.match(checkLaw(t, link.socket), {
      limitBytes: Number.POSITIVE_INFINITY,
      pendingBytes: 5_002_000,
      failed: 3,
    })
  })

  test(`${kind}: an empty buffer takes a message of 16 MB under a limit of 1 byte`, async (t) => {
    const link = await corked(t, kind, 1)
    link.socket.uncork()
    link.socket.write(LARGE)
    await until(() => socketStatus(link.socket).sent === 1 && link.peer.receivedBytes() === LARGE.length)
    t.match(checkLaw(t, link.socket), { failed: 0 })
  })

  test(`${kind}: a socket that onSendFail destroyed is not closed again by onFull 'close'`, async (t) => {
    const link: Link<Socket> = await corked(t, kind, {
      maxSendBufferSize: 1000,
      onFull: 'close',
      onSendFail: () => void link.socket.destroy(),
    })
    t.strictSame(admitted(link, [1000, 1]), [true, false])
    t.match(checkLaw(t, link.socket), { closedBy: 'server', failed: 2, pending: 0 })
  })
}

for (const kind of WEBSOCKET_KINDS) {
  test(`${kind}, strict: a single message above the limit is too_large, and the next one is sent`, async (t) => {
    const link: Link<WebSocket> = await openLink(kind)
    t.teardown(() => link.dispose())
    wrapSocket(link.socket, { maxSendBufferSize: 1000, admission: 'strict' })
    link.socket.send('x'.repeat(1001))
    link.socket.send('x'.repeat(1000))
    await until(() => link.peer.received.length === 1 && socketStatus(link.socket).pending === 0)
    const status = checkLaw(t, link.socket)
    t.match(status, { sent: 1, sentBytes: 1000, failed: 1 })
    t.equal(failed(status, 'too_large', 'refused'), 1)
  })
}

/** A transport that answers a send at once and tells of no completion: only the amount it holds falls. */
const BY_AMOUNT = {
  series: () => ({ meter: 'test of guard', transport: 'tcp', protocol: null }),
  carriesHttp: () => false,
  install: (guard: Guard) => Object.assign(guard.socket, { [GUARD]: guard }),
  ended: () => false,
  failure: () => null,
  buffered: (socket: { held: number }) => socket.held,
  progress: (socket: { held: number }) => -socket.held,
  settlesByAmount: true,
} as object as Transport

test('a transport without completions: what it holds falls by what was there before, then by the messages in order', async (t) => {
  const socket = { held: 50 }
  guardSocket(socket, BY_AMOUNT, 100)
  const guard = (socket as unknown as { [GUARD]: Guard })[GUARD]
  t.match(checkLaw(t, socket), { attempted: 0, receiver: 'ok' })
  t.equal(guard.admit(30), null)
  socket.held += 30
  guard.accepted(30, 30)
  t.equal(guard.admit(30), null)
  socket.held += 40
  guard.accepted(40, 40)
  t.match(checkLaw(t, socket), { pending: 2, pendingBytes: 70 })
  t.equal(guard.admit(1), 'buffer_full', '50 and 70 are above the limit')
  socket.held = 70
  t.match(checkLaw(t, socket), { pending: 2, sent: 0 })
  t.equal(guard.admit(1), null, 'what was there before has left')
  socket.held = 40
  t.match(checkLaw(t, socket), { pending: 1, sent: 1 })
  socket.held = 0
  t.match(checkLaw(t, socket), { pending: 0, sent: 2, sentBytes: 70 })
  t.equal(guard.admit(1, 100), 'buffer_full', 'so many are held in any case')
  t.equal(guard.admit(1, 99), null)
})
