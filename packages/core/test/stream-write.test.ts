import { once } from 'node:events'
import type { Socket } from 'node:net'
import { Readable } from 'node:stream'
import { type Test, test } from 'tap'
import { type Link, openLink, type StreamKind } from '../../../test/fixtures/link.ts'
import { type SendFailError, socketStatus, type WrapOptions, wrapSocket } from '../src/index.ts'
import { FEATURES } from '../src/stream-internals.ts'
import { checkLaw, failed, turns, until } from './fixtures/books.ts'

const KINDS = ['tcp', 'tls', 'ipc'] as const
const MB = 1024 * 1024
const LARGE = Buffer.alloc(16 * MB, 'x')

async function wrapped(
  t: Test,
  kind: StreamKind,
  options: number | WrapOptions,
  allowHalfOpen = false,
): Promise<Link<Socket>> {
  const link = await openLink(kind, { allowHalfOpen })
  t.teardown(() => link.dispose())
  wrapSocket(link.socket, options)
  return link
}

function fill(socket: Socket): void {
  socket.cork()
  socket.write('x'.repeat(2000))
}

/** What the callback of a write reported. */
function outcome(socket: Socket, data: Buffer | string): Promise<Error | null | undefined> {
  return new Promise((resolve) => socket.write(data, resolve))
}

for (const kind of KINDS) {
  test(`${kind}: a message that fits is sent, whatever it is made of`, async (t) => {
    const link = await wrapped(t, kind, MB)
    const { socket } = link
    socket.write('ä')
    socket.write('ä', 'latin1')
    socket.write('e4', 'hex')
    socket.write(Buffer.from('abc'))
    socket.write(new Uint8Array(2))
    socket.setDefaultEncoding('latin1')
    socket.write('ä')
    const done: unknown[] = []
    socket.write('x', (error) => done.push(error))
    socket.write('x', 'utf8', (error) => done.push(error))
    await until(() => socketStatus(socket).pending === 0 && done.length === 2)
    t.match(checkLaw(t, socket), { attempted: 8, sent: 8, sentBytes: 2 + 1 + 1 + 3 + 2 + 1 + 1 + 1 })
    t.strictSame(done.filter(Boolean), [])
  })

  test(`${kind}: a message of no bytes is sent once its callback ran`, async (t) => {
    const link = await wrapped(t, kind, MB)
    link.socket.write('')
    t.notOk(await outcome(link.socket, Buffer.alloc(0)))
    await until(() => socketStatus(link.socket).pending === 0)
    t.match(checkLaw(t, link.socket), { attempted: 2, sent: 2, sentBytes: 0 })
  })

  test(`${kind}: a message of no bytes behind a lost one is lost with it`, async (t) => {
    const link = await wrapped(t, kind, Number.POSITIVE_INFINITY)
    link.peer.pause()
    const done: unknown[] = []
    link.socket.write(LARGE)
    link.socket.write('', (error) => done.push(error))
    t.match(checkLaw(t, link.socket), { pending: 2, pendingBytes: LARGE.length })
    link.socket.destroy()
    await until(() => done.length === 1)
    t.match(checkLaw(t, link.socket), { pending: 0, failed: 2 })
  })

  for (const [what, args] of [
    ['a number', [5]],
    ['null', [null]],
    ['an object', [{}]],
    ['an unknown encoding', ['x', 'morse']],
  ] as const) {
    for (const [state, prepare] of [
      ['healthy', () => {}],
      ['full', fill],
      ['ended', (socket: Socket) => void socket.end()],
    ] as const) {
      test(`${kind}: writing ${what} to a socket that is ${state} throws what a bare socket throws, and counts nothing`, async (t) => {
        const link = await wrapped(t, kind, 1000)
        const bare = await openLink(kind)
        t.teardown(() => bare.dispose())
        const thrown = (socket: Socket) => {
          prepare(socket)
          try {
            Reflect.apply(socket.write, socket, args)
          } catch (error) {
            return (error as NodeJS.ErrnoException).code
          }
          return null
        }
        const expected = thrown(bare.socket)
        t.ok(expected)
        t.equal(thrown(link.socket), expected)
        t.equal(checkLaw(t, link.socket).attempted, state === 'full' ? 1 : 0)
      })
    }
  }

  test(`${kind}: a refused write returns false, and its callback gets the SendFailError on a later tick`, async (t) => {
    const errors: unknown[] = []
    const link = await wrapped(t, kind, MB)
    link.socket.on('error', (error) => errors.push(error))
    link.peer.pause()
    link.socket.write(LARGE)
    const { pendingBytes } = socketStatus(link.socket)
    let called = false
    const refused = new Promise<SendFailError>((resolve) => {
      t.equal(
        link.socket.write('abc', (error) => {
          called = true
          resolve(error as SendFailError)
        }),
        false,
      )
    })
    t.notOk(called, 'not within the call')
    t.match(await refused, {
      code: 'ERR_SEND_FAIL',
      reason: 'buffer_full',
      stage: 'refused',
      receiver: 'burst',
      bytes: 3,
      pendingBytes,
      limitBytes: MB,
    })
    t.equal(link.socket.write('ab', 'utf8'), false, 'without a callback too')
    link.peer.resume()
    await once(link.socket, 'drain')
    await until(() => link.peer.receivedBytes() === LARGE.length)
    t.strictSame(errors, [])
    t.match(checkLaw(t, link.socket), { attempted: 3, sent: 1, failed: 2, failedBytes: 5 })
  })

  for (const needDrain of [true, false]) {
    const how = needDrain ? '' : ' without the need-drain feature'

    test(`${kind}: pipe() under a limit of 1 KiB delivers everything${how}`, async (t) => {
      FEATURES.needDrain = needDrain
      t.teardown(() => {
        FEATURES.needDrain = true
      })
      const link = await wrapped(t, kind, 1024)
      const chunks = Array.from({ length: 300 }, (_, i) => Buffer.alloc(700 + i, String(i % 10)))
      Readable.from(chunks).pipe(link.socket)
      await link.peer.gone
      t.ok(Buffer.concat(link.peer.received).equals(Buffer.concat(chunks)))
      t.match(checkLaw(t, link.socket), { failed: 0, sentBytes: Buffer.concat(chunks).length })
    })

    test(`${kind}: 'drain' follows a refusal below the high-water mark${how}`, async (t) => {
      FEATURES.needDrain = needDrain
      t.teardown(() => {
        FEATURES.needDrain = true
      })
      const link = await wrapped(t, kind, 1000)
      const { socket } = link
      socket.cork()
      t.equal(socket.write('x'.repeat(600)), true)
      t.equal(socket.write('x'.repeat(600)), false, 'the next one would be refused')
      t.equal(socket.write('y'), false)
      let drains = 0
      socket.on('drain', () => drains++)
      socket.uncork()
      await until(() => drains > 0)
      await turns()
      t.equal(drains, 1)
      t.match(checkLaw(t, socket), { sent: 2, failed: 1 })
    })
  }

  test(`${kind}: 'drain' follows a too large message on an empty buffer`, async (t) => {
    const link = await wrapped(t, kind, { maxSendBufferSize: 1000, admission: 'strict' })
    let drains = 0
    link.socket.on('drain', () => drains++)
    t.equal(link.socket.write('x'.repeat(1001)), false)
    t.equal(drains, 0)
    await until(() => drains === 1)
    t.equal(failed(checkLaw(t, link.socket), 'too_large', 'refused'), 1)
    t.equal(link.socket.write('x'.repeat(999)), true)
  })

  test(`${kind}: no 'drain' follows on a socket that was destroyed meanwhile`, async (t) => {
    const link = await wrapped(t, kind, { maxSendBufferSize: 1000, admission: 'strict' })
    link.socket.on('drain', () => t.fail('drained'))
    link.socket.write('x'.repeat(1001))
    link.socket.destroy()
    await link.closed
    await turns()
    checkLaw(t, link.socket)
  })

  test(`${kind}: a write after end() is refused with server_closed and no 'error'; the end's chunk arrives`, async (t) => {
    const link = await wrapped(t, kind, MB)
    const errors: unknown[] = []
    link.socket.on('error', (error) => errors.push(error))
    link.socket.end('last')
    t.match(await outcome(link.socket, 'late'), {
      code: 'ERR_SEND_FAIL',
      reason: 'server_closed',
      stage: 'refused',
    })
    t.equal(link.socket.write('later'), false)
    await link.peer.gone
    link.peer.close()
    await link.closed
    t.equal(Buffer.concat(link.peer.received).toString(), 'last')
    t.strictSame(errors, [])
    t.match(checkLaw(t, link.socket), { attempted: 3, sent: 1, sentBytes: 4, failed: 2, closedBy: 'server' })
  })

  test(`${kind}: a write on a socket this process destroyed is refused with server_closed and no 'error'`, async (t) => {
    const link = await wrapped(t, kind, MB)
    link.socket.on('error', (error) => t.fail(error))
    link.socket.destroy()
    t.match(await outcome(link.socket, 'late'), { reason: 'server_closed' })
    await link.closed
    t.match(await outcome(link.socket, 'later'), { reason: 'server_closed' })
    t.equal(failed(checkLaw(t, link.socket), 'server_closed', 'refused'), 2)
  })

  test(`${kind}: a write after the peer closed is refused with client_closed and no 'error'`, async (t) => {
    const link = await wrapped(t, kind, MB)
    link.socket.on('error', (error) => t.fail(error))
    link.peer.close()
    await link.closed
    t.match(await outcome(link.socket, 'late'), { reason: 'client_closed', stage: 'refused', receiver: null })
    t.match(checkLaw(t, link.socket), { closedBy: 'client', failed: 1 })
  })

  test(`${kind}: a write behind the peer's FIN and a backlog destroys quietly: all is client_closed`, async (t) => {
    const link = await wrapped(t, kind, Number.POSITIVE_INFINITY)
    link.socket.on('error', (error) => t.fail(error))
    link.peer.pause()
    link.socket.write(LARGE)
    link.socket.write(LARGE)
    link.peer.fin()
    await once(link.socket, 'end')
    t.notOk(link.socket.destroyed, 'Node waits for the backlog')
    t.match(await outcome(link.socket, 'late'), { reason: 'client_closed', stage: 'refused' })
    t.ok(link.socket.destroyed)
    await link.closed
    const status = checkLaw(t, link.socket)
    t.match(status, { closedBy: 'client', pending: 0 })
    t.equal(failed(status, 'client_closed', 'refused'), 1)
    t.equal(failed(status, 'client_closed', 'lost'), status.failed - 1)
    t.ok(status.failed > 1)
  })

  test(`${kind}: without a write behind it, a backlog still leaves after the peer's FIN`, async (t) => {
    const link = await wrapped(t, kind, Number.POSITIVE_INFINITY)
    link.peer.pause()
    link.socket.write(LARGE)
    link.peer.fin()
    await once(link.socket, 'end')
    link.peer.resume()
    await Promise.all([link.closed, link.peer.gone])
    t.match(checkLaw(t, link.socket), { sent: 1, failed: 0, closedBy: 'client' })
    t.equal(link.peer.receivedBytes(), LARGE.length)
  })
}

for (const kind of ['tcp', 'ipc'] as const) {
  test(`${kind}, half-open: after the peer's FIN everything still arrives, and this side closes last`, async (t) => {
    const link = await openLink(kind, { allowHalfOpen: true })
    t.teardown(() => link.dispose())
    wrapSocket(link.socket)
    link.socket.on('error', (error) => t.fail(error))
    link.peer.fin()
    await once(link.socket, 'end')
    t.equal(link.socket.write('after'), true)
    t.match(checkLaw(t, link.socket), { sent: 1, closedBy: null })
    link.socket.end()
    t.match(await outcome(link.socket, 'late'), { reason: 'client_closed' })
    await link.closed
    t.match(checkLaw(t, link.socket), { closedBy: 'client', failed: 1, sent: 1 })
  })
}

for (const [how, size] of [
  ['small', 100],
  ['as large as the limit', 64 * 1024],
] as const) {
  test(`tcp, half-open: writes to a peer that is gone, ${how}, fail with client_closed once the kernel says so`, async (t) => {
    const link = await openLink('tcp', { allowHalfOpen: true })
    t.teardown(() => link.dispose())
    wrapSocket(link.socket, 64 * 1024)
    link.peer.fin()
    await once(link.socket, 'end')
    link.peer.reset()
    await link.peer.gone
    const message = Buffer.alloc(size)
    for (let i = 0; i < 50 && !link.socket.destroyed; i++) {
      link.socket.write(message)
      await turns(1)
    }
    await link.closed
    const status = checkLaw(t, link.socket)
    t.equal(status.closedBy, 'client')
    t.equal(status.pending, 0)
    t.equal(
      failed(status, 'client_closed', 'lost') + failed(status, 'client_closed', 'refused'),
      status.failed,
    )
    t.ok(status.failed > 0)
  })

  test(`tcp: a write that the kernel refuses within the call, ${how}, is lost with client_closed`, async (t) => {
    const link = await openLink('tcp')
    t.teardown(() => link.dispose())
    const { socket } = link
    wrapSocket(socket, 64 * 1024)
    socket.pause()
    await turns()
    ;(socket as unknown as { _handle: { readStop(): void } })._handle.readStop()
    link.peer.reset()
    await link.peer.gone
    socket.write(Buffer.alloc(size))
    socket.write(Buffer.alloc(size))
    await link.closed
    const status = checkLaw(t, socket)
    t.match(status, { closedBy: 'client', pending: 0, attempted: 2 })
    t.equal(failed(status, 'client_closed', 'lost') + failed(status, 'client_closed', 'refused'), 2)
  })
}

// --- corks, and what is written behind a backlog

for (const kind of KINDS) {
  test(`${kind}: corked messages are pending, and sent once they leave`, async (t) => {
    const link = await wrapped(t, kind, MB)
    link.socket.cork()
    for (let i = 0; i < 10; i++) link.socket.write('x'.repeat(10))
    t.match(checkLaw(t, link.socket), { pending: 10, pendingBytes: 100 })
    link.socket.uncork()
    await until(() => socketStatus(link.socket).pending === 0)
    t.match(checkLaw(t, link.socket), { sent: 10, sentBytes: 100 })
  })

  test(`${kind}: every message of a backlog is pending until it leaves, its callback once`, async (t) => {
    const link = await wrapped(t, kind, Number.POSITIVE_INFINITY)
    link.peer.pause()
    let calls = 0
    for (let i = 0; i < 20; i++) link.socket.write(LARGE.subarray(0, MB), () => calls++)
    const before = checkLaw(t, link.socket)
    t.ok(before.pending > 0)
    link.peer.resume()
    await until(() => calls === 20)
    t.match(checkLaw(t, link.socket), { sent: 20, pending: 0, sentBytes: 20 * MB })
    await until(() => link.peer.receivedBytes() === 20 * MB)
  })
}

for (const kind of KINDS) {
  test(`${kind}: a first message that left unseen is counted sent by the next write`, async (t) => {
    const link = await wrapped(t, kind, Number.POSITIVE_INFINITY)
    link.peer.pause()
    link.socket.write(LARGE)
    link.peer.resume()
    await until(() => link.socket.writableLength === 0)
    link.socket.write('x')
    await until(() => link.peer.receivedBytes() === LARGE.length + 1 && link.socket.writableLength === 0)
    t.match(checkLaw(t, link.socket), { sent: 2, pending: 0 })
  })
}

for (const kind of ['tcp', 'ipc'] as const) {
  test(`${kind}: behind a corked batch that failed in uncork() a write is refused with client_closed`, async (t) => {
    const link = await wrapped(t, kind, MB)
    const { socket } = link
    socket.pause()
    await turns()
    socket.cork()
    socket.write('x'.repeat(10))
    link.peer.reset()
    socket.uncork()
    t.equal(socket.writable, false, 'the kernel refused the batch within the call')
    t.match(await outcome(socket, 'y'), { code: 'ERR_SEND_FAIL', reason: 'client_closed', stage: 'refused' })
    await link.closed
    const status = checkLaw(t, socket)
    t.match(status, { closedBy: 'client', attempted: 2, failed: 2 })
    t.equal(failed(status, 'client_closed', 'lost'), 1)
  })
}

test('tcp: a backlog whose write fails is lost with client_closed, the write in flight too', async (t) => {
  for (const messages of [1, 5]) {
    const link = await wrapped(t, 'tcp', Number.POSITIVE_INFINITY)
    const errors: NodeJS.ErrnoException[] = []
    link.socket.on('error', (error) => errors.push(error))
    link.peer.pause()
    for (let i = 0; i < messages; i++) link.socket.write(LARGE)
    await turns()
    ;(link.socket as unknown as { _handle: { readStop(): void } })._handle.readStop()
    link.peer.reset()
    await link.closed
    t.equal(errors[0]?.syscall, 'write')
    const status = checkLaw(t, link.socket)
    t.match(status, { closedBy: 'client', pending: 0, sent: 0, failed: messages })
    t.equal(failed(status, 'client_closed', 'lost'), messages)
  }
})

// --- observe

test('observe: nothing is refused, what would have been is counted as over the limit', async (t) => {
  const link = await wrapped(t, 'tcp', { maxSendBufferSize: 1000, onFull: 'observe' })
  link.peer.pause()
  link.socket.write(LARGE)
  for (let i = 0; i < 5; i++) link.socket.write('x')
  t.match(checkLaw(t, link.socket), { failed: 0, overLimit: 5, fullCount: 1, pending: 6 })
  link.peer.resume()
  await until(() => socketStatus(link.socket).pending === 0)
  t.match(checkLaw(t, link.socket), { sent: 6, overLimit: 5 })
})

test('observe: a write after end() is counted, and otherwise as on a bare socket', async (t) => {
  const link = await wrapped(t, 'tcp', { onFull: 'observe' })
  const errors: NodeJS.ErrnoException[] = []
  link.socket.on('error', (error) => errors.push(error))
  link.socket.end()
  const callback = await outcome(link.socket, 'late')
  await link.closed
  t.equal((callback as NodeJS.ErrnoException).code, 'ERR_STREAM_WRITE_AFTER_END')
  t.strictSame(
    errors.map(({ code }) => code),
    ['ERR_STREAM_WRITE_AFTER_END'],
  )
  t.equal(failed(checkLaw(t, link.socket), 'server_closed', 'refused'), 1)
})
