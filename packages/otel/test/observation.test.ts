import { readFileSync } from 'node:fs'
import { type SeriesStatus, snapshot } from '@sendfail/core'
import { INSTRUMENTS, METRIC_NAMES } from '@sendfail/otel'
import t from 'tap'
import { AttributeSets } from '../src/attributes.ts'
import { observationOf } from '../src/observation.ts'
import { VERSION } from '../src/version.ts'

const { series: _series, ...nothing } = snapshot()
const status = (own: Partial<SeriesStatus>): SeriesStatus => ({
  ...nothing,
  meter: '@sendfail/net',
  transport: 'tcp',
  protocol: null,
  ...own,
})

t.test('what can happen and has not is observed at zero', async (t) => {
  const observation = observationOf([{ transport: 'tcp', protocol: null }], [], new AttributeSets())
  t.same([...observation.keys()], METRIC_NAMES)
  t.same(METRIC_NAMES, Object.keys(INSTRUMENTS))
  const sizes = [...observation].map(([name, values]) => [name, values.size])
  t.same(Object.fromEntries(sizes), {
    'socket.send_fail': 15,
    'socket.send_fail.size': 15,
    'socket.message.sent': 1,
    'socket.message.sent.size': 1,
    'socket.send_buffer.usage': 1,
    'socket.send_buffer.limit': 1,
    'socket.send_buffer.full': 1,
    'socket.send_buffer.over_limit': 1,
    'socket.connection.count': 4,
  })
  for (const values of observation.values()) t.same(new Set(values.values()), new Set([0]))
})

t.test('a series that nobody announced is observed too', async (t) => {
  const observation = observationOf([], [status({ transport: 'pipe', sent: 3 })], new AttributeSets())
  t.same([...(observation.get('socket.message.sent') ?? [])], [[{ 'network.transport': 'pipe' }, 3]])
  t.equal(observation.get('socket.send_fail')?.size, 15)
})

t.test('every number of a series stands under its own name', async (t) => {
  const one = status({
    sent: 1,
    sentBytes: 2,
    pendingBytes: 3,
    limitBytes: 4,
    fullCount: 5,
    overLimit: 6,
    connections: { ok: 7, burst: 8, slow: 9, stalled: 10 },
    failures: [{ reason: 'buffer_full', stage: 'refused', receiver: 'slow', count: 11, bytes: 12 }],
  })
  const sets = new AttributeSets([])
  const observation = observationOf([{ transport: 'tcp', protocol: null }], [one], sets)
  const values = [...observation].map(([name, byAttributes]) => [name, ...byAttributes.values()])
  t.same(values, [
    ['socket.send_fail', 11],
    ['socket.send_fail.size', 12],
    ['socket.message.sent', 1],
    ['socket.message.sent.size', 2],
    ['socket.send_buffer.usage', 3],
    ['socket.send_buffer.limit', 4],
    ['socket.send_buffer.full', 5],
    ['socket.send_buffer.over_limit', 6],
    ['socket.connection.count', 34],
  ])
  const full = observationOf([], [one], new AttributeSets())
  const failures = [...(full.get('socket.send_fail') ?? [])].filter(([, value]) => value !== 0)
  t.same(failures, [
    [
      {
        'error.type': 'buffer_full',
        'socket.send_fail.stage': 'refused',
        'socket.receiver': 'slow',
        'network.transport': 'tcp',
      },
      11,
    ],
  ])
})

t.test('series that differ in attributes that are left out are added up', async (t) => {
  const statuses = [
    status({ sent: 1 }),
    status({ protocol: 'http', sent: 2 }),
    status({ transport: 'unix', sent: 4 }),
  ]
  const observation = observationOf([], statuses, new AttributeSets(['network.transport']))
  t.same(
    [...(observation.get('socket.message.sent') ?? [])],
    [
      [{ 'network.transport': 'tcp' }, 3],
      [{ 'network.transport': 'unix' }, 4],
    ],
  )
})

t.test('the version in the source is that of package.json', async (t) => {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  t.equal(VERSION, version)
})
