import assert from 'node:assert/strict'
import type { MetricData, ResourceMetrics } from '@opentelemetry/sdk-metrics'

// The table of metrics as it is promised, written down a second time, and how to compare an export with it.

type Attributes = Record<string, string>

const COUNTER = true
const UP_DOWN_COUNTER = false

const FAILURES = [
  ...['refused', 'lost'].flatMap((stage) => [
    ...['client_closed', 'server_closed', 'timed_out', '_OTHER'].map((reason) => ({
      'error.type': reason,
      'socket.send_fail.stage': stage,
    })),
    ...['stalled', 'slow', 'burst'].map((receiver) => ({
      'error.type': 'buffer_full',
      'socket.send_fail.stage': stage,
      'socket.receiver': receiver,
    })),
  ]),
  { 'error.type': 'too_large', 'socket.send_fail.stage': 'refused' },
]
const STATES = ['ok', 'burst', 'slow', 'stalled'].map((receiver) => ({ 'socket.receiver': receiver }))
const ONE = [{}]

/** Name, unit, does it only grow, and its attributes beside transport and protocol. */
const INSTRUMENTS: readonly [name: string, unit: string, isMonotonic: boolean, attributes: Attributes[]][] = [
  ['socket.connection.count', '{connection}', UP_DOWN_COUNTER, STATES],
  ['socket.message.sent', '{message}', COUNTER, ONE],
  ['socket.message.sent.size', 'By', COUNTER, ONE],
  ['socket.send_buffer.full', '{event}', COUNTER, ONE],
  ['socket.send_buffer.limit', 'By', UP_DOWN_COUNTER, ONE],
  ['socket.send_buffer.over_limit', '{message}', COUNTER, ONE],
  ['socket.send_buffer.usage', 'By', UP_DOWN_COUNTER, ONE],
  ['socket.send_fail', '{message}', COUNTER, FAILURES],
  ['socket.send_fail.size', 'By', COUNTER, FAILURES],
]

const LOCAL = process.platform === 'win32' ? 'pipe' : 'unix'
const HTTP = { 'network.protocol.name': 'http' }
const WEBSOCKET = { 'network.protocol.name': 'websocket' }

/** The meters, and the transports and protocols of each. */
export const METERS: Readonly<Record<string, Attributes[]>> = {
  '@sendfail/net': ['tcp', LOCAL].flatMap((transport) => [
    { 'network.transport': transport },
    { 'network.transport': transport, ...HTTP },
  ]),
  '@sendfail/ws': ['tcp', LOCAL].map((transport) => ({ 'network.transport': transport, ...WEBSOCKET })),
}

interface Point {
  readonly attributes: Attributes
  readonly value: number
}

/** What one meter exported: by the name of the instrument, what the SDK says of it and its points. */
export type Exported = Map<string, { readonly data: MetricData; readonly points: Point[] }>

export function exportedBy(metrics: ResourceMetrics, meter: string): Exported {
  const scopes = metrics.scopeMetrics.filter(({ scope }) => scope.name === meter)
  assert.ok(scopes.length <= 1, `${meter} is one scope`)
  return new Map(
    (scopes[0]?.metrics ?? []).map((data) => {
      const points = data.dataPoints as { attributes: Attributes; value: number }[]
      return [
        data.descriptor.name,
        { data, points: points.map(({ attributes, value }) => ({ attributes, value })) },
      ]
    }),
  )
}

/** One line for a set of attributes, whatever their order. */
export function lineOf(attributes: Attributes): string {
  return JSON.stringify(Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** The meters, instruments, units, kinds and sets of attributes are those of the table: none is missing, none is more. */
export function checkTable(metrics: ResourceMetrics, version: string): void {
  assert.deepEqual(metrics.scopeMetrics.map(({ scope }) => scope.name).sort(), Object.keys(METERS))
  for (const { scope } of metrics.scopeMetrics) assert.equal(scope.version, version)
  for (const [meter, series] of Object.entries(METERS)) {
    const exported = exportedBy(metrics, meter)
    assert.deepEqual(
      [...exported.keys()].sort(),
      INSTRUMENTS.map(([name]) => name),
    )
    for (const [name, unit, isMonotonic, attributes] of INSTRUMENTS) {
      const { data, points } = exported.get(name) as { data: MetricData; points: Point[] }
      assert.equal(data.descriptor.unit, unit, name)
      assert.notEqual(data.descriptor.description, '', name)
      assert.equal((data as { isMonotonic?: boolean }).isMonotonic, isMonotonic, name)
      const expected = series.flatMap((place) => attributes.map((own) => lineOf({ ...own, ...place })))
      assert.deepEqual(points.map((point) => lineOf(point.attributes)).sort(), expected.sort(), name)
    }
  }
}

export function sumOf(exported: Exported, name: string): number {
  return (exported.get(name)?.points ?? []).reduce((sum, { value }) => sum + value, 0)
}

/** The value of the one point with exactly these attributes. */
export function pointOf(exported: Exported, name: string, attributes: Attributes): number | undefined {
  const line = lineOf(attributes)
  return exported.get(name)?.points.find((point) => lineOf(point.attributes) === line)?.value
}
