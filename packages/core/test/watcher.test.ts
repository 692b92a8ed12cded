import type { Socket } from 'node:net'
import { type Test, test } from 'tap'
import { type Kind, openLink } from '../../../test/fixtures/link.ts'
import { GUARD, type Guard, registry, unwrapSocket, type Watcher, wrapSocket } from '../src/index.ts'
import { until } from './fixtures/books.ts'
import { stopClock } from './fixtures/clock.ts'

const MB = 1024 * 1024

/** Puts a watcher in and returns what it hears, each with what the connection held then. */
function watch(t: Test): [event: string, guard: Guard][] {
  const heard: [string, Guard][] = []
  const hear = (event: string) => (connection: object) => void heard.push([event, connection as Guard])
  const watcher: Watcher = {
    opened: hear('opened'),
    full: hear('full'),
    slow: hear('slow'),
    drained: hear('drained'),
    ended: hear('ended'),
    late: hear('late'),
    forgotten: hear('forgotten'),
  }
  registry.watcher = watcher
  t.teardown(() => {
    registry.watcher = null
  })
  return heard
}

for (const kind of ['tcp', 'tls', 'ipc', 'ws', 'wss'] as const satisfies Kind[]) {
  test(`${kind}: a watcher hears of the whole life of a connection, once of each`, async (t) => {
    const heard = watch(t)
    const events = () => heard.map(([event]) => event)
    const link = await openLink(kind)
    t.teardown(() => link.dispose())
    wrapSocket(link.socket, MB)
    wrapSocket(link.socket, { maxSendBufferSize: 2 * MB })
    t.strictSame(events(), ['opened'])
    const guard = (link.socket as never as { [GUARD]: Guard })[GUARD]
    t.equal(heard[0]?.[1], guard)
    link.peer.pause()
    const message = Buffer.alloc(16 * MB)
    for (let i = 0; i < 3; i++)
      (link.socket as Socket & { send: Socket['write'] })[kind.startsWith('ws') ? 'send' : 'write'](message)
    t.strictSame(events(), ['opened', 'full'])
    link.peer.resume()
    await until(() => guard.pending === 0)
    t.strictSame(events(), ['opened', 'full', 'drained'])
    t.strictSame(guard.transport.endpoints(guard.socket), {
      local:
        kind === 'ipc' ? guard.transport.endpoints(guard.socket).local : `127.0.0.1:${link.under.localPort}`,
      foreign: kind === 'ipc' ? null : `127.0.0.1:${link.under.remotePort}`,
    })
    t.ok(guard.transport.acceptedBy(guard.socket), 'the server is known')
    t.equal(guard.transport.receivedBytes(guard.socket), link.under.bytesRead)
    link.under.destroy()
    await link.closed
    t.strictSame(events(), ['opened', 'full', 'drained', 'ended'])
    ;(link.socket as Socket & { send: Socket['write'] })[kind.startsWith('ws') ? 'send' : 'write']('late')
    t.strictSame(events(), ['opened', 'full', 'drained', 'ended', 'late'])
  })
}

test('a connection that is unwrapped is forgotten, and one that had ended is not heard of', async (t) => {
  const heard = watch(t)
  const link = await openLink('tcp')
  t.teardown(() => link.dispose())
  unwrapSocket(wrapSocket(link.socket))
  t.strictSame(
    heard.map(([event]) => event),
    ['opened', 'forgotten'],
  )
  link.socket.destroy()
  wrapSocket(link.socket)
  t.equal(heard.length, 2)
})

test('a backlog has a production and a drain rate, and a slow one is heard of when a send fails', async (t) => {
  const heard = watch(t)
  const advance = stopClock(t)
  const link = await openLink('tcp')
  t.teardown(() => link.dispose())
  const { socket, peer } = link
  wrapSocket(socket, MB)
  const { [GUARD]: guard } = socket as never as { [GUARD]: Guard }
  t.equal(guard.backlogStatus(), null, 'no backlog')
  socket.write('x')
  t.equal(guard.backlogStatus(), null, 'nor was there one')
  peer.pause()
  socket.write(Buffer.alloc(32 * MB))
  const young = guard.backlogStatus()
  t.match(young, { ageMs: 0, productionBytesPerSecond: 0, drainBytesPerSecond: 0 }, 'no time has passed')
  t.equal(socket.write(Buffer.alloc(8 * MB)), false)
  t.equal(guard.failedBytes, 8 * MB)
  advance(10_000)
  socket.write(Buffer.alloc(MB))
  t.strictSame(
    heard.map(([event]) => event),
    ['opened', 'full', 'slow'],
  )
  const held = (socket as never as { _handle: { writeQueueSize: number } })._handle.writeQueueSize
  t.strictSame(guard.backlogStatus(), {
    ageMs: 10_000,
    idleMs: 10_000,
    productionBytesPerSecond: (41 * MB) / 10,
    drainBytesPerSecond: (32 * MB - held) / 10,
  })
  t.ok(held > 0 && held < 32 * MB, 'one message, of which a part has left')
  socket.destroy()
  t.equal(guard.backlogStatus(), null, 'it has ended')
})
