import { type Test, test } from 'tap'
import { type Kind, type Link, openLink } from '../../../test/fixtures/link.ts'
import { registry, Series, type Snapshot, snapshot, socketStatus, wrapSocket } from '../src/index.ts'
import { checkLaw, until } from './fixtures/books.ts'
import { stopClock } from './fixtures/clock.ts'

const LARGE = Buffer.alloc(16 * 1024 * 1024, 'x')

async function open(t: Test, kind: Kind): Promise<Link> {
  const link = await openLink(kind)
  t.teardown(() => link.dispose())
  return link
}

test('the status of a fresh socket has every field', async (t) => {
  const link = await open(t, 'tcp')
  t.strictSame(socketStatus(wrapSocket(link.socket, 5)), {
    attempted: 0,
    sent: 0,
    failed: 0,
    pending: 0,
    attemptedBytes: 0,
    sentBytes: 0,
    failedBytes: 0,
    pendingBytes: 0,
    failures: [],
    fullCount: 0,
    overLimit: 0,
    limitBytes: 5,
    receiver: 'ok',
    closedBy: null,
  })
})

test('failures name those kinds only that happened, with messages and bytes', async (t) => {
  const link = await open(t, 'tcp')
  const socket = link.under
  wrapSocket(socket, { maxSendBufferSize: 100, admission: 'strict' })
  socket.write('x'.repeat(101))
  socket.write('x'.repeat(102))
  socket.end()
  socket.write('abc')
  t.strictSame(checkLaw(t, socket).failures, [
    { reason: 'server_closed', stage: 'refused', receiver: null, count: 1, bytes: 3 },
    { reason: 'too_large', stage: 'refused', receiver: null, count: 2, bytes: 203 },
  ])
})

test('the books of a socket can be read after it closed, and do not change with the process', async (t) => {
  const link = await open(t, 'tcp')
  wrapSocket(link.socket)
  link.under.write('x')
  link.under.destroy()
  await link.closed
  const status = checkLaw(t, link.socket)
  t.match(status, { sent: 1, closedBy: 'server', receiver: 'ok' })
  t.strictSame(socketStatus(link.socket), status)
})

const delta = (after: Snapshot, before: Snapshot) =>
  Object.fromEntries(
    (
      [
        'attempted',
        'sent',
        'failed',
        'pending',
        'attemptedBytes',
        'fullCount',
        'overLimit',
        'limitBytes',
      ] as const
    ).map((key) => [key, after[key] - before[key]]),
  )

test('the snapshot sums every socket of the process, by series and altogether', async (t) => {
  const before = snapshot()
  const stream = await open(t, 'tcp')
  const ws = await open(t, 'ws')
  wrapSocket(stream.socket, { maxSendBufferSize: 1000, onFull: 'observe' })
  wrapSocket(ws.socket, 2000)
  stream.peer.pause()
  ws.peer.pause()
  stream.under.write(LARGE)
  stream.under.write('x')
  ;(ws.socket as import('ws').WebSocket).send(LARGE)
  ;(ws.socket as import('ws').WebSocket).send('refused')
  const after = snapshot()
  t.strictSame(delta(after, before), {
    attempted: 4,
    sent: 0,
    failed: 1,
    pending: 3,
    attemptedBytes: 2 * LARGE.length + 8,
    fullCount: 2,
    overLimit: 1,
    limitBytes: 3000,
  })
  t.match(after.connections, { ok: before.connections.ok, burst: 2, slow: 0, stalled: 0 })
  const of = (meter: string) => after.series.find((one) => one.meter === meter && one.connections.burst === 1)
  t.match(of('@sendfail/net'), { transport: 'tcp', protocol: null, pending: 2, overLimit: 1, failures: [] })
  t.match(of('@sendfail/ws'), {
    transport: 'tcp',
    protocol: 'websocket',
    pending: 1,
    failed: 1,
    failures: [{ reason: 'buffer_full', stage: 'refused', receiver: 'burst', count: 1, bytes: 7 }],
  })
  t.match(
    after.failures.find(({ reason }) => reason === 'buffer_full'),
    { stage: 'refused', receiver: 'burst', count: 1, bytes: 7 },
  )
  checkLaw(t, stream.socket)
  checkLaw(t, ws.socket)
})

test('the snapshot says what every receiver is doing now', async (t) => {
  const advance = stopClock(t)
  const before = snapshot().connections
  const links = [await open(t, 'tcp'), await open(t, 'tcp'), await open(t, 'tcp')]
  for (const link of links) {
    wrapSocket(link.socket, { slowAfterMs: 10, stallAfterMs: 1_000_000 })
    link.peer.pause()
  }
  wrapSocket(links[0]?.socket as never, { slowAfterMs: 1_000_000 })
  wrapSocket(links[2]?.socket as never, { stallAfterMs: 1_000_000, slowAfterMs: 1_000_000 })
  links[0]?.under.write(LARGE)
  links[1]?.under.write(LARGE)
  advance(20)
  t.match(snapshot().connections, { ok: before.ok + 1, burst: 1, slow: 1, stalled: 0 })
  for (const link of links) link.peer.resume()
  await until(() => snapshot().connections.ok === before.ok + 3)
  t.match(snapshot().connections, { burst: 0, slow: 0, stalled: 0 })
})

test('a series that was just made is in the snapshot with zeros', async (t) => {
  const key = { meter: 'test of status', transport: 'unix', protocol: 'http' } as const
  t.match(registry.seriesOf(key), new Series(key))
  t.match(
    snapshot().series.find(({ meter }) => meter === key.meter),
    {
      ...key,
      attempted: 0,
      limitBytes: 0,
      connections: { ok: 0, burst: 0, slow: 0, stalled: 0 },
      failures: [],
    },
  )
})
