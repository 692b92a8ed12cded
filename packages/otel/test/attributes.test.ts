import { FAILURE_KINDS } from '@sendfail/core'
import t from 'tap'
import { AttributeSets, checkAttributes, METRIC_ATTRIBUTES, type MetricAttribute } from '../src/attributes.ts'

const place = { 'network.transport': 'tcp', 'network.protocol.name': 'http' }

t.test(
  'a series has one set, one for each kind of failure, and one for each state of a receiver',
  async (t) => {
    const { failures, receivers, series } = new AttributeSets().of('tcp', 'http')
    t.same(series, place)
    t.same(
      failures,
      FAILURE_KINDS.map(({ reason, receiver, stage }) => ({
        'error.type': reason,
        'socket.send_fail.stage': stage,
        ...(receiver === null ? {} : { 'socket.receiver': receiver }),
        ...place,
      })),
    )
    t.same(
      receivers,
      ['ok', 'burst', 'slow', 'stalled'].map((state) => [state, { 'socket.receiver': state, ...place }]),
    )
  },
)

t.test('a protocol that is the own one of the application is left out', async (t) => {
  t.same(new AttributeSets().of('unix', null).series, { 'network.transport': 'unix' })
})

t.test('every set is frozen and made once', async (t) => {
  const sets = new AttributeSets()
  const first = sets.of('tcp', 'http')
  t.equal(sets.of('tcp', 'http'), first)
  for (const set of [first.series, ...first.failures, ...first.receivers.map(([, set]) => set)]) {
    t.ok(Object.isFrozen(set))
  }
  t.equal(new Set(first.failures).size, FAILURE_KINDS.length)
})

t.test('sets that are equal after attributes were left out are one object, across series too', async (t) => {
  const sets = new AttributeSets(['error.type'])
  const [tcp, unix] = [sets.of('tcp', null), sets.of('unix', 'http')]
  t.same(tcp.series, {})
  t.equal(tcp.series, unix.series)
  t.equal(tcp.receivers[0]?.[1], tcp.series)
  t.equal(new Set([...tcp.failures, ...unix.failures]).size, 6, 'one for each reason')
})

t.test('the names are a closed list', async (t) => {
  t.same(METRIC_ATTRIBUTES, [
    'error.type',
    'network.protocol.name',
    'network.transport',
    'socket.receiver',
    'socket.send_fail.stage',
  ])
  checkAttributes(METRIC_ATTRIBUTES)
  checkAttributes([])
  for (const [wrong, received] of [
    [['error.type', 'net.peer.ip'], "'net.peer.ip'"],
    [[7], '7'],
    ['error.type', "'error.type'"],
    [{}, 'an object \\(Object\\)'],
  ] as const) {
    t.throws(() => checkAttributes(wrong as unknown as MetricAttribute[]), {
      name: 'TypeError',
      code: 'ERR_SEND_FAIL_OPTION',
      message: new RegExp(`^attributes must be an array of error.type, .*; received ${received}$`),
    })
  }
})
