import { AsyncLocalStorage } from 'node:async_hooks'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { pipeline } from 'node:stream'
import t, { type Test, test } from 'tap'
import { WebSocket } from 'ws'
import { type Kind, type Link, openLink } from '../../../test/fixtures/link.ts'
import { tickOf } from '../src/connection.ts'
import { registry, snapshot, socketStatus, type WrapOptions, wrapSocket } from '../src/index.ts'
import { DEFAULT_POLICY } from '../src/options.ts'
import { progress } from '../src/stream-internals.ts'
import { checkLaw, failed, turns, until, untilTurn } from './fixtures/books.ts'
import { stopClock } from './fixtures/clock.ts'

t.setTimeout(120_000) // 64 MB at a time, on a machine that has other things to do

const KINDS = ['tcp', 'tls', 'ipc', 'ws', 'wss'] as const
const STREAM_KINDS = ['tcp', 'tls', 'ipc'] as const
const MB = 1024 * 1024
const LARGE = Buffer.alloc(16 * MB, 'x')
const HUGE = Buffer.alloc(64 * MB, 'x')

/** A wrapped connection to a peer that has stopped reading. */
async function paused(t: Test, kind: Kind, options: number | WrapOptions): Promise<Link> {
  const link = await openLink(kind)
  t.teardown(() => link.dispose())
  link.peer.pause()
  wrapSocket(link.socket, options)
  return link
}

const send = (link: Link, data: Buffer | string, callback?: (error?: Error | null) => void): unknown =>
  link.socket instanceof WebSocket ? link.socket.send(data, callback) : link.socket.write(data, callback)

const receiver = (link: Link) => socketStatus(link.socket).receiver

/** Waits until the kernel takes no more of what is queued. */
async function quiescent(link: Link): Promise<void> {
  for (let last = Number.NaN, same = 0; same < 10; ) {
    await new Promise((resolve) => setTimeout(resolve, 5))
    const now = progress(link.under)
    same = now === last ? same + 1 : 0
    last = now
  }
}

/** Lets the peer read until a byte has left this side, and stops it. */
async function readABit(link: Link): Promise<void> {
  const before = progress(link.under)
  link.peer.resume()
  await untilTurn(() => progress(link.under) !== before)
  link.peer.pause()
  await quiescent(link)
}

/** Sends 64 MB that wait, as one message or as one batch. */
function sendHuge(link: Link, how: 'one batch' | 'one write'): void {
  if (how === 'one write') {
    send(link, HUGE)
    return
  }
  link.under.cork()
  for (let part = 0; part < 64; part++) send(link, HUGE.subarray(0, MB))
  link.under.uncork()
}

for (const kind of ['tcp', 'tls', 'ws'] as const) {
  for (const how of ['one write', 'one batch'] as const) {
    test(`while ${how} of 64 MB drains over ${kind} the receiver is burst, slow, stalled, slow, ok, each exactly`, async (t) => {
      const advance = stopClock(t)
      const link = await paused(t, kind, Number.POSITIVE_INFINITY)
      sendHuge(link, how)
      t.equal(receiver(link), 'burst')
      await quiescent(link)
      t.equal(receiver(link), 'burst', 'what the kernel took meanwhile left at once')
      advance(4999)
      t.equal(receiver(link), 'burst', '1 ms before slowAfterMs')
      advance(1)
      t.equal(receiver(link), 'slow', 'at slowAfterMs')
      advance(24_999)
      t.equal(receiver(link), 'slow', '1 ms before stallAfterMs')
      advance(1)
      t.equal(receiver(link), 'stalled', 'at stallAfterMs')
      const { connections } = snapshot()
      t.match(connections, { burst: 0, slow: 0, stalled: 1 })

      const { pending } = checkLaw(t, link.socket)
      await readABit(link)
      t.equal(receiver(link), 'slow', 'a byte left')
      t.ok(checkLaw(t, link.socket).pending > 0)
      if (how === 'one write') t.equal(socketStatus(link.socket).pending, pending, 'although no message did')
      advance(29_999)
      t.equal(receiver(link), 'slow')
      advance(1)
      t.equal(receiver(link), 'stalled', 'stallAfterMs after the last byte')

      link.peer.resume()
      await until(() => socketStatus(link.socket).pending === 0)
      t.match(checkLaw(t, link.socket), { receiver: 'ok', failed: 0, sentBytes: HUGE.length })
      await until(() => link.peer.receivedBytes() === HUGE.length)
    })
  }

  test(`a peer that reads slowly over ${kind} is slow however long one message takes`, async (t) => {
    const advance = stopClock(t)
    const link = await paused(t, kind, Number.POSITIVE_INFINITY)
    send(link, HUGE)
    await quiescent(link)
    for (let reads = 0; reads < 4; reads++) {
      await readABit(link)
      advance(20_000)
      t.equal(receiver(link), 'slow')
      t.equal(socketStatus(link.socket).pendingBytes, HUGE.length, 'the message still waits')
    }
  })
}

for (const kind of KINDS) {
  for (const [expected, ms] of [
    ['burst', 4999],
    ['slow', 5000],
    ['stalled', 30_000],
  ] as const) {
    test(`a message refused over ${kind} after ${ms} ms names the receiver ${expected}`, async (t) => {
      const advance = stopClock(t)
      const receivers: unknown[] = []
      const link = await paused(t, kind, {
        maxSendBufferSize: MB,
        onSendFail: (failure) => receivers.push(failure.receiver),
      })
      send(link, LARGE)
      await quiescent(link)
      receiver(link)
      advance(ms)
      send(link, 'refused')
      t.strictSame(receivers, [expected])
      t.match(checkLaw(t, link.socket).failures, [
        { reason: 'buffer_full', stage: 'refused', receiver: expected, count: 1, bytes: 7 },
      ])
    })
  }

  test(`closeAfterFullMs: 10000 closes ${kind} without traffic, exactly, and without an 'error'`, async (t) => {
    const advance = stopClock(t)
    const errors: unknown[] = []
    const link = await paused(t, kind, { maxSendBufferSize: MB, closeAfterFullMs: 10_000 })
    for (const one of [link.socket, link.under]) one.on('error', (error) => errors.push(error))
    send(link, LARGE)
    advance(9999)
    registry.sweep()
    t.equal(socketStatus(link.socket).closedBy, null)
    advance(1)
    registry.sweep()
    const status = checkLaw(t, link.socket)
    t.match(status, { closedBy: 'timeout', pending: 0, failed: 1, failedBytes: LARGE.length })
    t.equal(failed(status, 'timed_out', 'lost'), 1)
    send(link, 'late')
    t.equal(failed(checkLaw(t, link.socket), 'timed_out', 'refused'), 1)
    await link.closed
    t.strictSame(errors, [])
  })

  test(`closeAfterStallMs: 10000 closes ${kind} without traffic, and not while bytes leave`, async (t) => {
    const advance = stopClock(t)
    const link = await paused(t, kind, {
      maxSendBufferSize: Number.POSITIVE_INFINITY,
      closeAfterStallMs: 10_000,
    })
    send(link, HUGE)
    await quiescent(link)
    registry.sweep()
    advance(9999)
    await readABit(link)
    registry.sweep()
    advance(9999)
    registry.sweep()
    t.equal(socketStatus(link.socket).closedBy, null)
    advance(1)
    registry.sweep()
    const status = checkLaw(t, link.socket)
    t.equal(status.closedBy, 'timeout')
    t.equal(failed(status, 'timed_out', 'lost'), 1)
    await link.closed
  })
}

test('the time limits are kept by the timer alone', async (t) => {
  const link = await paused(t, 'tcp', { maxSendBufferSize: MB, closeAfterFullMs: 20 })
  send(link, LARGE)
  await link.closed
  t.equal(checkLaw(t, link.socket).closedBy, 'timeout')
})

test('a time limit given later holds for a backlog that is already there', async (t) => {
  const link = await paused(t, 'tcp', MB)
  send(link, LARGE)
  wrapSocket(link.socket, { closeAfterFullMs: 20 })
  await link.closed
  t.equal(checkLaw(t, link.socket).closedBy, 'timeout')
})

test('what was there before the wrap does not stall: it is nobody’s message', async (t) => {
  const advance = stopClock(t)
  const link = await openLink('tcp')
  t.teardown(() => link.dispose())
  link.peer.pause()
  link.socket.write(LARGE)
  wrapSocket(link.socket, { closeAfterStallMs: 10 })
  advance(1000)
  registry.sweep()
  t.match(checkLaw(t, link.socket), { receiver: 'ok', closedBy: null })
})

test('the handlers of a sweep do not run in the context of the sender', async (t) => {
  const storage = new AsyncLocalStorage<string>()
  const stores: unknown[] = []
  const link = await paused(t, 'tcp', {
    maxSendBufferSize: MB,
    closeAfterFullMs: 20,
    onSendFail: () => stores.push(storage.getStore()),
  })
  storage.run('of the sender', () => send(link, LARGE))
  await link.closed
  t.strictSame(stores, [undefined])
})

test('a healthy socket is never followed, a backlogged one until its backlog is gone', async (t) => {
  const link = await openLink('tcp')
  t.teardown(() => link.dispose())
  wrapSocket(link.socket, Number.POSITIVE_INFINITY)
  const isFollowed = () =>
    [...registry.backlogged].some((one) => (one as { socket?: unknown }).socket === link.socket)
  for (let i = 0; i < 100; i++) link.socket.write('x')
  t.notOk(isFollowed())
  link.peer.pause()
  link.socket.write(LARGE)
  t.ok(isFollowed())
  link.peer.resume()
  await until(() => socketStatus(link.socket).pending === 0)
  registry.sweep()
  t.notOk(isFollowed())
})

for (const [policy, tickMs] of [
  [{}, 1000],
  [{ slowAfterMs: 400 }, 100],
  [{ stallAfterMs: 80 }, 20],
  [{ closeAfterFullMs: 1000 }, 250],
  [{ closeAfterStallMs: 1 }, 5],
  [{ slowAfterMs: Number.POSITIVE_INFINITY, stallAfterMs: Number.POSITIVE_INFINITY }, 1000],
] as const) {
  test(`with ${JSON.stringify(policy)} a backlog is looked at every ${tickMs} ms`, async (t) => {
    t.equal(tickOf({ ...DEFAULT_POLICY, ...policy }), tickMs)
  })
}

// --- how connections end, and whose doing it was

for (const kind of KINDS) {
  test(`${kind}: a reset by the peer loses what is pending with client_closed`, async (t) => {
    const link = await paused(t, kind, Number.POSITIVE_INFINITY)
    send(link, LARGE)
    send(link, LARGE)
    link.peer.reset()
    await link.closed
    const status = checkLaw(t, link.socket)
    t.match(status, { closedBy: 'client', pending: 0 })
    t.ok(failed(status, 'client_closed', 'lost') > 0)
    t.equal(failed(status, 'client_closed', 'lost'), status.failed)
    send(link, 'late')
    t.equal(failed(checkLaw(t, link.socket), 'client_closed', 'refused'), 1)
  })

  test(`${kind}: destroyed by this process it loses what is pending with server_closed`, async (t) => {
    const link = await paused(t, kind, Number.POSITIVE_INFINITY)
    send(link, LARGE)
    send(link, LARGE)
    if (link.socket instanceof WebSocket) link.socket.terminate()
    else link.socket.destroy()
    const status = checkLaw(t, link.socket)
    t.match(status, { closedBy: 'server', pending: 0, failed: 2 })
    t.equal(failed(status, 'server_closed', 'lost'), 2)
    send(link, 'late')
    t.equal(failed(checkLaw(t, link.socket), 'server_closed', 'refused'), 1)
    await link.closed
    t.equal(checkLaw(t, link.socket).closedBy, 'server')
  })

  test(`${kind}: a reset after this process closed stays server_closed: the first cause wins`, async (t) => {
    const link = await paused(t, kind, Number.POSITIVE_INFINITY)
    send(link, LARGE)
    send(link, LARGE)
    if (link.socket instanceof WebSocket) link.socket.close()
    else link.socket.end()
    t.equal(socketStatus(link.socket).closedBy, 'server')
    link.peer.reset()
    await link.closed
    const status = checkLaw(t, link.socket)
    t.equal(status.closedBy, 'server')
    t.equal(failed(status, 'server_closed', 'lost'), status.failed)
  })

  test(`${kind}: destroyed after the peer's FIN, what was pending is lost with client_closed`, async (t) => {
    const link = await paused(t, kind, Number.POSITIVE_INFINITY)
    send(link, LARGE)
    send(link, LARGE)
    link.peer.fin()
    await until(() => link.under.readableEnded)
    link.under.destroy()
    const status = checkLaw(t, link.socket)
    t.equal(status.closedBy, 'client')
    t.ok(failed(status, 'client_closed', 'lost') > 0)
    t.equal(failed(status, 'client_closed', 'lost'), status.failed)
  })
}

test('ECONNRESET of another socket, handed on by pipeline, is server_closed on the one that was not reset', async (t) => {
  const [from, to] = [await openLink('tcp'), await openLink('tcp')]
  t.teardown(() => Promise.all([from.dispose(), to.dispose()]))
  for (const { socket } of [from, to]) wrapSocket(socket)
  to.peer.pause()
  to.socket.write(LARGE)
  const ended = new Promise<NodeJS.ErrnoException | null>((resolve) =>
    pipeline(from.socket, to.socket, resolve),
  )
  from.peer.reset()
  t.equal((await ended)?.code, 'ECONNRESET')
  await Promise.all([from.closed, to.closed])
  t.equal(checkLaw(t, from.socket).closedBy, 'client')
  const status = checkLaw(t, to.socket)
  t.equal(status.closedBy, 'server')
  t.equal(failed(status, 'server_closed', 'lost'), 1)
})

for (const kind of STREAM_KINDS) {
  test(`${kind}: destroy(error) of this process is server_closed, with the error as cause`, async (t) => {
    const mine = new Error('mine')
    const causes: unknown[] = []
    const link = await paused(t, kind, { onSendFail: ({ cause }) => causes.push(cause) })
    send(link, LARGE)
    ;(link.socket as Socket).destroy(mine)
    const status = checkLaw(t, link.socket)
    t.equal(status.closedBy, 'server')
    t.equal(failed(status, 'server_closed', 'lost'), 1)
    t.strictSame(causes, [mine])
    await link.closed
  })

  test(`${kind}: destroy(error) with an error of TLS is _OTHER`, async (t) => {
    const link = await paused(t, kind, Number.POSITIVE_INFINITY)
    send(link, LARGE)
    ;(link.socket as Socket).destroy(Object.assign(new Error('alert'), { code: 'ERR_SSL_SOMETHING' }))
    const status = checkLaw(t, link.socket)
    t.equal(status.closedBy, 'error')
    t.equal(failed(status, '_OTHER', 'lost'), 1)
    await link.closed
  })

  test(`${kind}: messages that had left when it was destroyed are sent, the rest is lost`, async (t) => {
    const link = await openLink(kind)
    t.teardown(() => link.dispose())
    wrapSocket(link.socket, Number.POSITIVE_INFINITY)
    link.peer.pause()
    for (let i = 0; i < 1000; i++) send(link, LARGE.subarray(0, 50_000))
    for (const one of registry.backlogged) registry.unfollow(one) // so that nobody looks before the end
    await quiescent(link)
    link.socket.destroy()
    const status = checkLaw(t, link.socket)
    t.equal(status.sent + status.failed, 1000)
    t.ok(status.sent > 0 && status.failed > 0, `${status.sent} sent, ${status.failed} lost`)
    link.peer.resume()
    await link.peer.gone
    const arrived = Math.floor(link.peer.receivedBytes() / 50_000)
    t.ok(arrived <= status.sent, `${arrived} of ${status.sent} arrived`)
  })
}

test('every callback of a lost message is called once', async (t) => {
  const link = await paused(t, 'tcp', Number.POSITIVE_INFINITY)
  let calls = 0
  for (let i = 0; i < 5; i++) send(link, LARGE, () => calls++)
  link.under.destroy()
  await link.closed
  await turns()
  t.equal(calls, 5)
  checkLaw(t, link.socket)
})

test('a socket that is ended while its buffer is full is closed once, by whoever was first', async (t) => {
  const link = await paused(t, 'tcp', { maxSendBufferSize: MB, closeAfterFullMs: 1 })
  const advance = stopClock(t)
  send(link, LARGE)
  ;(link.socket as Socket).end()
  advance(10)
  registry.sweep()
  registry.sweep()
  t.match(checkLaw(t, link.socket), { closedBy: 'server', pending: 0 })
  await once(link.socket, 'close')
})

test('a time limit that runs out after the peer’s FIN does not take the blame from the peer', async (t) => {
  const link = await openLink('tcp', { allowHalfOpen: true })
  t.teardown(() => link.dispose())
  link.peer.pause()
  wrapSocket(link.socket, { maxSendBufferSize: MB, closeAfterFullMs: 1 })
  const advance = stopClock(t)
  send(link, LARGE)
  link.peer.fin()
  await until(() => link.under.readableEnded)
  t.equal(socketStatus(link.socket).closedBy, null, 'half-open: nobody has closed it yet')
  advance(10)
  registry.sweep()
  const status = checkLaw(t, link.socket)
  t.match(status, { closedBy: 'client', pending: 0, failed: 1 })
  t.equal(failed(status, 'client_closed', 'lost'), 1)
  await link.closed
})
