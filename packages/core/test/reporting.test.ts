import { execFile } from 'node:child_process'
import { type Channel, channel } from 'node:diagnostics_channel'
import { fileURLToPath } from 'node:url'
import { type Test, test } from 'tap'
import { WebSocket } from 'ws'
import { type Kind, type Link, openLink } from '../../../test/fixtures/link.ts'
import {
  type SendFailError,
  snapshot,
  socketStatus,
  unwrapSocket,
  type WrapOptions,
  wrapSocket,
} from '../src/index.ts'
import { checkLaw, failed, turns, until } from './fixtures/books.ts'

const KINDS = ['tcp', 'tls', 'ipc', 'ws', 'wss'] as const
const MB = 1024 * 1024
const LARGE = Buffer.alloc(16 * MB, 'x')

async function wrapped(t: Test, kind: Kind, options: WrapOptions): Promise<Link> {
  const link = await openLink(kind)
  t.teardown(() => link.dispose())
  wrapSocket(link.socket, options)
  return link
}

const send = (link: Link, data: Buffer | string, callback?: (error?: Error | null) => void): unknown =>
  link.socket instanceof WebSocket ? link.socket.send(data, callback) : link.socket.write(data, callback)

const settled = (link: Link) => until(() => socketStatus(link.socket).pending === 0)

function subscribe(t: Test, name: string, subscriber: (message: unknown) => void): Channel {
  const one = channel(name)
  one.subscribe(subscriber)
  t.teardown(() => one.unsubscribe(subscriber))
  return one
}

for (const kind of KINDS) {
  test(`${kind}: the same facts reach the callback, onSendFail and the channel sendfail:fail`, async (t) => {
    const told: [SendFailError, object][] = []
    const published: { failure: SendFailError; socket: object }[] = []
    subscribe(t, 'sendfail:fail', (message) => published.push(message as (typeof published)[number]))
    const link = await wrapped(t, kind, {
      maxSendBufferSize: MB,
      onSendFail: (failure, socket) => told.push([failure, socket]),
    })
    link.peer.pause()
    send(link, LARGE)
    const error = await new Promise((resolve) => send(link, 'x', resolve))
    t.equal(told.length, 1)
    t.equal(told[0]?.[0], error)
    t.equal(told[0]?.[1], link.socket)
    t.equal(published[0]?.failure, error)
    t.equal(published[0]?.socket, link.socket)
    link.peer.resume()
    await settled(link)
  })

  test(`${kind}: onBufferFull and onBufferDrain, and their channels, alternate strictly`, async (t) => {
    const order: string[] = []
    const published: string[] = []
    for (const name of ['full', 'drain'])
      subscribe(t, `sendfail:${name}`, (message) => {
        const { socket, pendingBytes, limitBytes } = message as Record<string, unknown>
        if (socket === link.socket && limitBytes === MB)
          published.push(`${name} ${name === 'full' ? Number(pendingBytes) >= MB : pendingBytes === 0}`)
      })
    const link: Link = await wrapped(t, kind, {
      maxSendBufferSize: MB,
      onBufferFull: (socket) => order.push(`full ${socket === link.socket}`),
      onBufferDrain: (socket) => order.push(`drain ${socketStatus(socket).pendingBytes}`),
    })
    for (let round = 0; round < 3; round++) {
      link.peer.pause()
      send(link, LARGE)
      for (let i = 0; i < 3; i++) send(link, 'refused')
      t.equal(order.length, 2 * round + 1, 'full was told once')
      link.peer.resume()
      await settled(link)
    }
    t.strictSame(order, ['full true', 'drain 0', 'full true', 'drain 0', 'full true', 'drain 0'])
    t.strictSame(published, ['full true', 'drain true', 'full true', 'drain true', 'full true', 'drain true'])
    t.match(checkLaw(t, link.socket), { fullCount: 3, sent: 3, failed: 9 })
  })

  test(`${kind}: onFull 'close' destroys at the first refused message: what waited is lost with buffer_full`, async (t) => {
    const link = await wrapped(t, kind, { maxSendBufferSize: MB, onFull: 'close' })
    for (const one of [link.socket, link.under]) one.on('error', (error) => t.fail(error))
    link.peer.pause()
    send(link, LARGE)
    t.equal(socketStatus(link.socket).closedBy, null, 'full alone closes nothing')
    send(link, 'refused')
    const status = checkLaw(t, link.socket)
    t.match(status, { closedBy: 'limit', pending: 0, failed: 2 })
    t.match(status.failures, [
      { reason: 'buffer_full', stage: 'refused', receiver: 'burst', count: 1, bytes: 7 },
      { reason: 'buffer_full', stage: 'lost', receiver: 'burst', count: 1, bytes: LARGE.length },
    ])
    send(link, 'late')
    t.equal(failed(checkLaw(t, link.socket), 'server_closed', 'refused'), 1, 'closed is not full')
    await link.closed
  })

  test(`${kind}: handlers that throw or reject become warnings and harm nothing`, async (t) => {
    const warnings: (Error & { code?: string })[] = []
    const collect = (warning: Error) => warnings.push(warning)
    process.on('warning', collect)
    t.teardown(() => process.off('warning', collect))
    let rejecting = false
    const harm = () => {
      if (rejecting) return Promise.reject(new Error('rejected')) as never
      throw new Error('thrown')
    }
    const link = await wrapped(t, kind, {
      maxSendBufferSize: MB,
      onSendFail: harm,
      onBufferFull: harm,
      onBufferDrain: harm,
    })
    for (let round = 0; round < 2; round++) {
      link.peer.pause()
      send(link, LARGE)
      t.doesNotThrow(() => send(link, 'refused'))
      link.peer.resume()
      await settled(link)
      rejecting = true
    }
    await until(() => warnings.length >= 6)
    t.strictSame(
      warnings.map(({ code, message }) => `${code} ${message.split(' ')[0]}`).sort(),
      ['onBufferDrain', 'onBufferFull', 'onSendFail']
        .flatMap((name) => [name, name])
        .map((name) => `ERR_SEND_FAIL_CALLBACK ${name}`),
    )
    t.match(checkLaw(t, link.socket), { sent: 2, failed: 2 })
  })

  test(`${kind}: an onSendFail that sends again neither overflows nor hangs`, async (t) => {
    let calls = 0
    const link: Link = await wrapped(t, kind, {
      maxSendBufferSize: MB,
      onSendFail() {
        calls++
        if (calls < 500) send(link, 'again')
      },
    })
    link.peer.pause()
    send(link, LARGE)
    send(link, 'refused')
    await until(() => calls === 500)
    t.match(checkLaw(t, link.socket), { failed: 500 })
    link.peer.resume()
    await settled(link)
  })

  test(`${kind}: an onBufferDrain that fills the buffer again keeps alternating`, async (t) => {
    const order: string[] = []
    const link: Link = await wrapped(t, kind, {
      maxSendBufferSize: MB,
      onBufferFull: () => order.push('full'),
      onBufferDrain() {
        order.push('drain')
        if (order.length < 8) send(link, LARGE)
      },
    })
    send(link, LARGE)
    await until(() => order.length === 8)
    await settled(link)
    await turns()
    t.strictSame(order, ['full', 'drain', 'full', 'drain', 'full', 'drain', 'full', 'drain'])
    t.match(checkLaw(t, link.socket), { sent: 4, fullCount: 4 })
  })

  for (const [what, act] of [
    ['unwraps', (link: Link) => unwrapSocket(link.socket)],
    ['destroys', (link: Link) => link.under.destroy()],
  ] as const) {
    for (const name of ['onBufferFull', 'onSendFail'] as const) {
      test(`${kind}: an ${name} that ${what} the socket is safe`, async (t) => {
        const before = snapshot()
        let calls = 0
        const link: Link = await wrapped(t, kind, {
          maxSendBufferSize: MB,
          [name]() {
            calls++
            act(link)
          },
        })
        link.peer.pause()
        send(link, LARGE)
        t.doesNotThrow(() => send(link, 'refused'))
        await turns()
        t.ok(calls > 0)
        t.equal(snapshot().pending, before.pending)
        t.equal(snapshot().connections.burst, before.connections.burst)
        await link.dispose()
      })
    }
  }
}

for (const kind of ['tcp', 'ws'] as const) {
  test(`${kind}: a message is refused without a word when nobody listens, and counted all the same`, async (t) => {
    const link = await wrapped(t, kind, { maxSendBufferSize: MB })
    link.peer.pause()
    send(link, LARGE)
    send(link, 'refused')
    t.match(checkLaw(t, link.socket), { failed: 1, failedBytes: 7 })
  })
}

test('pendingBytes of a lost message is what was still pending behind it', async (t) => {
  const pending: number[] = []
  const link = await wrapped(t, 'tcp', {
    maxSendBufferSize: Number.POSITIVE_INFINITY,
    onSendFail: (failure) => pending.push(failure.pendingBytes),
  })
  link.peer.pause()
  send(link, LARGE)
  send(link, 'ab')
  link.under.destroy()
  await until(() => pending.length === 2)
  t.strictSame(pending, [2, 0])
  checkLaw(t, link.socket)
})

test('subscribers that throw reach uncaughtException in a tick of their own, never the send path', async (t) => {
  const program = fileURLToPath(new URL('./programs/subscriber.ts', import.meta.url))
  const loader = new URL('../../../scripts/typescript.mjs', import.meta.url).href
  const args = ['--conditions=@sendfail/source', `--import=${loader}`, program]
  const [code, stdout, stderr] = await new Promise<[unknown, string, string]>((resolve) =>
    execFile(process.execPath, args, { timeout: 60_000 }, (error, out, err) =>
      resolve([error?.code ?? 0, out, err]),
    ),
  )
  t.strictSame([code, stderr], [0, ''])
  t.strictSame(JSON.parse(stdout), {
    caught: ['sendfail:full', 'sendfail:fail', 'sendfail:drain'],
    within: false,
    sent: 2,
    failed: 1,
    pending: 0,
  })
})

for (const kind of ['tcp', 'ws'] as const) {
  test(`${kind}: a write callback that throws is an uncaught exception, as on a bare one, and the books still balance`, async (t) => {
    const link = await wrapped(t, kind, { maxSendBufferSize: MB })
    link.peer.pause()
    send(link, LARGE)
    const caught: Error[] = []
    const listeners = process.listeners('uncaughtException')
    process.removeAllListeners('uncaughtException')
    process.on('uncaughtException', (error) => caught.push(error))
    t.teardown(() => {
      process.removeAllListeners('uncaughtException')
      for (const listener of listeners) process.on('uncaughtException', listener)
    })
    send(link, 'refused', () => {
      throw new Error('mine')
    })
    await until(() => caught.length === 1)
    t.equal(caught[0]?.message, 'mine')
    link.peer.resume()
    await settled(link)
    t.match(checkLaw(t, link.socket), { sent: 1, failed: 1 })
  })
}
