import type { Attributes } from '@opentelemetry/api'
import { FAILURE_KINDS, type NetworkTransport, type ProtocolName, type SeriesStatus } from '@sendfail/core'
import type { AttributeSets } from './attributes.ts'
import { METRIC_NAMES, type MetricName } from './instruments.ts'

/** Which series a meter has. */
export interface SeriesPlace {
  readonly transport: NetworkTransport
  readonly protocol: ProtocolName
}

/** The values of one instrument by attribute object; what has the same attributes is added up. */
export type Observation = ReadonlyMap<MetricName, ReadonlyMap<Attributes, number>>

/**
 * What a meter reports: its counters as they stand, and zero for every combination that can happen and has not, so that
 * a rate can be computed from the first failure on.
 */
export function observationOf(
  places: readonly SeriesPlace[],
  statuses: readonly SeriesStatus[],
  sets: AttributeSets,
): Observation {
  const observation = new Map(METRIC_NAMES.map((name) => [name, new Map<Attributes, number>()]))
  const add = (name: MetricName, attributes: Attributes, value: number): void => {
    const values = observation.get(name) as Map<Attributes, number>
    values.set(attributes, (values.get(attributes) ?? 0) + value)
  }
  for (const { protocol, transport } of [...places, ...statuses]) {
    const { failures, receivers, series } = sets.of(transport, protocol)
    for (const attributes of failures) {
      add('socket.send_fail', attributes, 0)
      add('socket.send_fail.size', attributes, 0)
    }
    for (const [, attributes] of receivers) add('socket.connection.count', attributes, 0)
    for (const [name] of SERIES_VALUES) add(name, series, 0)
  }
  for (const status of statuses) {
    const { failures, receivers, series } = sets.of(status.transport, status.protocol)
    for (const { bytes, count, reason, receiver, stage } of status.failures) {
      const place = FAILURE_KINDS.findIndex(
        (kind) => kind.reason === reason && kind.stage === stage && kind.receiver === receiver,
      )
      const attributes = failures[place] as Attributes
      add('socket.send_fail', attributes, count)
      add('socket.send_fail.size', attributes, bytes)
    }
    for (const [state, attributes] of receivers)
      add('socket.connection.count', attributes, status.connections[state])
    for (const [name, field] of SERIES_VALUES) add(name, series, status[field])
  }
  return observation
}

/** The instruments that have one value a series, and where core keeps it. */
const SERIES_VALUES = [
  ['socket.message.sent', 'sent'],
  ['socket.message.sent.size', 'sentBytes'],
  ['socket.send_buffer.usage', 'pendingBytes'],
  ['socket.send_buffer.limit', 'limitBytes'],
  ['socket.send_buffer.full', 'fullCount'],
  ['socket.send_buffer.over_limit', 'overLimit'],
] as const satisfies readonly (readonly [MetricName, keyof SeriesStatus])[]
