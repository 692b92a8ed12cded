import assert from 'node:assert/strict'
import { Socket } from 'node:net'
import type { MeterProvider, ResourceMetrics } from '@opentelemetry/sdk-metrics'
import { checkTable, type Exported, exportedBy, lineOf, METERS, pointOf, sumOf } from './table.ts'
import { type Library, traffic } from './traffic.ts'

// What an SDK has to show of this library. The facts run one after the other in one process, with SDK 2 in the suite and
// with SDK 3 on a newer Node; so they import nothing that depends on either.

export interface Subject extends Library {
  readonly api: typeof import('@opentelemetry/api')
  readonly sdk: typeof import('@opentelemetry/sdk-metrics')
  readonly otel: typeof import('@sendfail/otel')
  readonly version: string
}

interface Readers {
  readonly provider: MeterProvider
  readonly cumulative: () => Promise<ResourceMetrics>
  readonly delta: () => Promise<ResourceMetrics>
}

/** A provider that two readers of different temporality read. */
function makeReaders({ sdk }: Subject): Readers {
  class Reader extends sdk.MetricReader {
    protected override async onForceFlush(): Promise<void> {}
    protected override async onShutdown(): Promise<void> {}
  }
  const { CUMULATIVE, DELTA } = sdk.AggregationTemporality
  const readers = [CUMULATIVE, DELTA].map(
    (temporality) => new Reader({ aggregationTemporalitySelector: () => temporality }),
  )
  const [cumulative, delta] = readers.map((reader, at) => async () => {
    const { errors, resourceMetrics } = await reader.collect()
    assert.deepEqual(errors, [])
    for (const { metrics } of resourceMetrics.scopeMetrics) {
      for (const { aggregationTemporality } of metrics) {
        assert.equal(aggregationTemporality, [CUMULATIVE, DELTA][at])
      }
    }
    return resourceMetrics
  })
  return { provider: new sdk.MeterProvider({ readers }), cumulative, delta } as Readers
}

/** A chance for the library to find a provider, that counts nothing. */
function wrapOne({ net }: Subject): void {
  net.unwrapSocket(net.wrapSocket(new Socket()))
}

/** Where each instrument's sum stands in core's own account of a series. */
const FIELDS = {
  'socket.send_fail': 'failed',
  'socket.send_fail.size': 'failedBytes',
  'socket.message.sent': 'sent',
  'socket.message.sent.size': 'sentBytes',
  'socket.send_buffer.usage': 'pendingBytes',
  'socket.send_buffer.limit': 'limitBytes',
  'socket.send_buffer.full': 'fullCount',
  'socket.send_buffer.over_limit': 'overLimit',
} as const

/** What was exported is what core counted, point by point. */
function checkValues({ net }: Subject, metrics: ResourceMetrics): void {
  for (const status of net.snapshot().series) {
    const exported = exportedBy(metrics, status.meter)
    const place = {
      'network.transport': status.transport,
      ...(status.protocol === null ? {} : { 'network.protocol.name': status.protocol }),
    }
    for (const { bytes, count, reason, receiver, stage } of status.failures) {
      const own = receiver === null ? {} : { 'socket.receiver': receiver }
      const attributes = { 'error.type': reason, 'socket.send_fail.stage': stage, ...own, ...place }
      assert.equal(pointOf(exported, 'socket.send_fail', attributes), count, lineOf(attributes))
      assert.equal(pointOf(exported, 'socket.send_fail.size', attributes), bytes, lineOf(attributes))
    }
    for (const [name, field] of Object.entries(FIELDS).filter(([name]) => !name.includes('send_fail'))) {
      assert.equal(pointOf(exported, name, place), status[field], `${name} ${lineOf(place)}`)
    }
    for (const [state, count] of Object.entries(status.connections)) {
      const attributes = { 'socket.receiver': state, ...place }
      assert.equal(pointOf(exported, 'socket.connection.count', attributes), count, lineOf(attributes))
    }
  }
  for (const meter of Object.keys(METERS)) checkSums(net, exportedBy(metrics, meter), meter)
}

function checkSums(net: Subject['net'], exported: Exported, meter: string): void {
  const series = net.snapshot().series.filter((status) => status.meter === meter)
  for (const [name, field] of Object.entries(FIELDS)) {
    const expected = series.reduce((sum, status) => sum + status[field], 0)
    assert.equal(sumOf(exported, name), expected, `${meter} ${name}`)
  }
}

let registered: Readers

export const FACTS: Readonly<Record<string, (subject: Subject) => Promise<void>>> = {
  async 'an SDK registered after the import is found when a socket is wrapped: the whole table, at zero'(
    subject,
  ) {
    registered = makeReaders(subject)
    subject.api.metrics.setGlobalMeterProvider(registered.provider)
    assert.deepEqual((await registered.cumulative()).scopeMetrics, [], 'not found yet')
    wrapOne(subject)
    for (const metrics of [await registered.cumulative(), await registered.delta()]) {
      checkTable(metrics, subject.version)
      const points = Object.keys(METERS).flatMap((meter) =>
        [...exportedBy(metrics, meter).values()].flatMap((instrument) => instrument.points),
      )
      assert.deepEqual(
        points.filter(({ value }) => value !== 0),
        [],
      )
    }
  },

  async 'a cumulative and a delta reader at once report what core counted'(subject) {
    const deltas = new Map<string, number>()
    for (const round of [1, 2]) {
      await traffic(subject)
      const { failed, failures, overLimit } = subject.net.snapshot()
      assert.ok(failed > 0 && overLimit > 0)
      assert.deepEqual(new Set(failures.map(({ stage }) => stage)), new Set(['refused', 'lost']))
      const [delta, cumulative] = [await registered.delta(), await registered.cumulative()]
      checkTable(cumulative, subject.version)
      checkTable(delta, subject.version)
      checkValues(subject, cumulative)
      for (const meter of Object.keys(METERS)) {
        for (const [name, { points }] of exportedBy(delta, meter)) {
          for (const { attributes, value } of points) {
            const key = `${meter} ${name} ${lineOf(attributes)}`
            deltas.set(key, (deltas.get(key) ?? 0) + value)
            const whole = pointOf(exportedBy(cumulative, meter), name, attributes)
            assert.equal(deltas.get(key), whole, `round ${round}: ${key}`)
          }
        }
      }
    }
  },

  async 'a replaced global provider is followed by bindMetrics(), and nothing is lost'(subject) {
    const before = registered
    registered = makeReaders(subject)
    subject.api.metrics.disable()
    assert.equal(subject.otel.bindMetrics(), false, 'there is only the no-op provider')
    subject.api.metrics.setGlobalMeterProvider(registered.provider)
    assert.equal(subject.otel.bindMetrics(), true)
    const metrics = await registered.cumulative()
    checkTable(metrics, subject.version)
    checkValues(subject, metrics)
    await traffic(subject)
    checkValues(subject, await registered.cumulative())
    const old = exportedBy(await before.delta(), '@sendfail/net')
    assert.equal(sumOf(old, 'socket.send_fail'), 0, 'the old provider observes nothing any more')
  },

  async 'a private provider is used instead of the global one, and given up again'(subject) {
    const own = makeReaders(subject)
    assert.equal(subject.otel.bindMetrics(own.provider), true)
    assert.equal(subject.otel.bindMetrics(own.provider), true, 'twice')
    checkTable(await own.cumulative(), subject.version)
    checkValues(subject, await own.cumulative())
    assert.equal(subject.otel.bindMetrics(), true)
    checkValues(subject, await registered.cumulative())
  },

  async 'fewer attributes are added up'(subject) {
    const warnings: unknown[] = []
    const note = (warning: Error & { code?: string }) => void warnings.push(warning.code)
    process.on('warning', note)
    const all = await registered.cumulative()
    for (const attributes of [
      [],
      ['error.type'],
      ['network.transport'],
      ['error.type', 'network.protocol.name'],
      ['socket.receiver', 'socket.send_fail.stage'],
    ] as const) {
      const own = makeReaders(subject)
      subject.otel.bindMetrics(own.provider)
      subject.otel.configureMetrics({ attributes })
      const metrics = await own.cumulative()
      for (const meter of Object.keys(METERS)) {
        const [full, reduced] = [exportedBy(all, meter), exportedBy(metrics, meter)]
        assert.deepEqual([...reduced.keys()].sort(), [...full.keys()].sort())
        for (const [name, { points }] of reduced) {
          assert.equal(sumOf(reduced, name), sumOf(full, name), `${name} by ${attributes}`)
          const lines = points.map((point) => lineOf(point.attributes))
          assert.equal(new Set(lines).size, lines.length, 'every set once')
          const kept = new Set(points.flatMap((point) => Object.keys(point.attributes)))
          for (const attribute of kept) assert.ok(attributes.includes(attribute as never), attribute)
        }
        if (attributes.length === 0) {
          for (const { points } of reduced.values()) assert.deepEqual(points.length, 1)
        }
      }
    }
    subject.otel.bindMetrics(makeReaders(subject).provider)
    subject.otel.configureMetrics({})
    subject.otel.bindMetrics()
    assert.deepEqual(warnings, [], 'configured before the first collection')
    await registered.cumulative()
    subject.otel.configureMetrics({ attributes: ['error.type'] })
    subject.otel.configureMetrics({})
    await new Promise(setImmediate)
    assert.deepEqual(warnings, ['ERR_SEND_FAIL_OPTION', 'ERR_SEND_FAIL_OPTION'], 'configured after it')
    process.off('warning', note)
  },

  async 'the instrumentation takes the provider it is given, not the no-op one, and lets go when disabled'(
    subject,
  ) {
    const { otel } = subject
    const own = makeReaders(subject)
    const instrumentation = new otel.SendFailInstrumentation()
    subject.api.metrics.disable()
    instrumentation.setMeterProvider(subject.api.metrics.getMeterProvider())
    checkValues(subject, await registered.cumulative())
    instrumentation.setMeterProvider(own.provider)
    checkTable(await own.cumulative(), subject.version)
    const before = await own.delta()
    assert.ok(sumOf(exportedBy(before, '@sendfail/net'), 'socket.send_fail') > 0)
    instrumentation.disable()
    await traffic(subject)
    assert.equal(sumOf(exportedBy(await own.delta(), '@sendfail/net'), 'socket.send_fail'), 0)
    instrumentation.enable()
    checkValues(subject, await own.cumulative())
    assert.ok(sumOf(exportedBy(await own.delta(), '@sendfail/net'), 'socket.send_fail') > 0)
  },

  async 'a provider that was shut down is not bound to'(subject) {
    const own = makeReaders(subject)
    await own.provider.shutdown()
    assert.equal(subject.otel.bindMetrics(own.provider), false)
  },
}
