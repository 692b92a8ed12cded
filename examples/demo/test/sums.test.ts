import type { Outcomes, SeriesStatus, Snapshot, SocketStatus } from '@sendfail/core'
import t from 'tap'
import type { Over } from '../src/plan.ts'
import { pointsOf } from '../src/points.ts'
import { type Account, type Books, METERS, sumsUp } from '../src/sums.ts'

const failures = [
  { reason: 'buffer_full', stage: 'refused', receiver: 'stalled', count: 2, bytes: 20 },
] as const

const outcomes: Outcomes = {
  attempted: 6,
  sent: 3,
  failed: 2,
  pending: 1,
  attemptedBytes: 60,
  sentBytes: 30,
  failedBytes: 20,
  pendingBytes: 10,
  failures,
  fullCount: 1,
  overLimit: 0,
}

const twice: Outcomes = {
  ...outcomes,
  attempted: 12,
  sent: 6,
  failed: 4,
  pending: 2,
  attemptedBytes: 120,
  sentBytes: 60,
  failedBytes: 40,
  pendingBytes: 20,
  failures: [{ ...failures[0], count: 4, bytes: 40 }],
  fullCount: 2,
}

const connections = { ok: 0, burst: 0, slow: 0, stalled: 1 }

function account(over: Over): Account {
  const status: SocketStatus = { ...outcomes, limitBytes: 10, receiver: 'stalled', closedBy: null }
  return { behaviour: 'stops', over, produced: { messages: 6, bytes: 60 }, status }
}

function seriesOf(over: Over): SeriesStatus {
  const protocol = over === 'ws' ? 'websocket' : null
  return { ...outcomes, meter: METERS[over], transport: 'tcp', protocol, connections, limitBytes: 10 }
}

const snapshot: Snapshot = {
  ...twice,
  connections: { ...connections, stalled: 2 },
  limitBytes: 20,
  series: [seriesOf('tcp'), seriesOf('ws')],
}
const sound: Books = { snapshot, accounts: [account('tcp'), account('ws')], exported: pointsOf(snapshot) }

/** A copy of the books with one figure, found by its path, one higher. */
function falsified(...path: (string | number)[]): Books {
  const copy = structuredClone(sound)
  const last = path.at(-1) as string
  const holder = path.slice(0, -1).reduce((part, key) => (part as never)[key], copy as unknown) as Record<
    string,
    number
  >
  holder[last] = (holder[last] as number) + 1
  return copy
}

t.test('books that are right', async (t) => {
  t.same(sumsUp(sound), [])
  t.same(sumsUp({ ...sound, exported: null }), [], 'also before OpenTelemetry was asked')
})

const FIGURES = ['attempted', 'sent', 'failed', 'pending'].flatMap((name) => [name, `${name}Bytes`])

for (const figure of FIGURES) {
  t.test(`one ${figure} too many is found`, async (t) => {
    t.not(sumsUp(falsified('accounts', 0, 'status', figure)).length, 0, 'of a client')
    t.not(sumsUp(falsified('snapshot', 'series', 1, figure)).length, 0, 'of a transport')
    t.not(sumsUp(falsified('snapshot', figure)).length, 0, 'of the process')
  })
}

t.test('a message that the library did not count is found, and named', async (t) => {
  t.same(sumsUp(falsified('accounts', 1, 'produced', 'messages')), [
    'ws  stops: messages the program sent: 7, but it should be 6',
  ])
  t.same(sumsUp(falsified('accounts', 1, 'produced', 'bytes')), [
    'ws  stops: bytes the program sent: 61, but it should be 60',
  ])
})

t.test('a failure without a reason is found', async (t) => {
  t.not(sumsUp(falsified('accounts', 0, 'status', 'failures', 0, 'count')).length, 0)
})

t.test('every figure that OpenTelemetry exports is compared', async (t) => {
  for (const [at, { name }] of pointsOf(snapshot).entries()) {
    const found = sumsUp(falsified('exported', at, 'value'))
    t.equal(found.length, 1, name)
    t.match(found[0], /^exported by OpenTelemetry: @sendfail\/(net|ws) socket\./)
  }
  const exported = pointsOf(snapshot).filter(({ name }) => name !== 'socket.send_fail')
  t.equal(sumsUp({ ...sound, exported }).length, 2, 'also one that is missing')
})
