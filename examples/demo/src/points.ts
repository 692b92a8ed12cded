import type { Attributes } from '@opentelemetry/api'
import type { SeriesStatus, Snapshot } from '@sendfail/core'
import { INSTRUMENTS, type MetricName } from '@sendfail/otel'

/** One figure of one metric. */
export interface Point {
  /** The package that counts it. */
  readonly meter: string
  readonly name: string
  readonly unit: string
  readonly attributes: Attributes
  readonly value: number
}

/** What tells one point from another. */
export function keyOf({ attributes, meter, name }: Point): string {
  const sorted = Object.entries(attributes).sort(([a], [b]) => (a < b ? -1 : 1))
  return [meter, name, ...sorted.map(([key, value]) => `${key}=${value}`)].join(' ')
}

/** The figures that the library's own snapshot says should be exported. Those it leaves out are 0. */
export function pointsOf(snapshot: Snapshot): Point[] {
  return snapshot.series.flatMap(pointsOfSeries)
}

function pointsOfSeries(series: SeriesStatus): Point[] {
  const { meter, protocol, transport } = series
  const place: Attributes = { 'network.transport': transport }
  if (protocol !== null) place['network.protocol.name'] = protocol
  const point = (name: MetricName, value: number, attributes: Attributes = {}): Point => {
    return { meter, name, unit: INSTRUMENTS[name].unit, attributes: { ...attributes, ...place }, value }
  }
  return [
    ...series.failures.flatMap(({ bytes, count, reason, receiver, stage }) => {
      const kind: Attributes = { 'error.type': reason, 'socket.send_fail.stage': stage }
      if (receiver !== null) kind['socket.receiver'] = receiver
      return [point('socket.send_fail', count, kind), point('socket.send_fail.size', bytes, kind)]
    }),
    ...Object.entries(series.connections).map(([state, count]) =>
      point('socket.connection.count', count, { 'socket.receiver': state }),
    ),
    point('socket.message.sent', series.sent),
    point('socket.message.sent.size', series.sentBytes),
    point('socket.send_buffer.full', series.fullCount),
    point('socket.send_buffer.limit', series.limitBytes),
    point('socket.send_buffer.over_limit', series.overLimit),
    point('socket.send_buffer.usage', series.pendingBytes),
  ]
}
