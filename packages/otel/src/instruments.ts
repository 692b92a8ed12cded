import type { Meter, Observable } from '@opentelemetry/api'

/** What OpenTelemetry is told of one instrument. */
export interface Instrument {
  /** A counter only grows; an up-down counter is a sum that also falls. */
  readonly kind: 'counter' | 'upDownCounter'
  readonly unit: string
  readonly description: string
}

/** The name of one instrument. */
export type MetricName =
  | 'socket.connection.count'
  | 'socket.message.sent'
  | 'socket.message.sent.size'
  | 'socket.send_buffer.full'
  | 'socket.send_buffer.limit'
  | 'socket.send_buffer.over_limit'
  | 'socket.send_buffer.usage'
  | 'socket.send_fail'
  | 'socket.send_fail.size'

/** Every instrument, by its name. Units are UCUM: https://ucum.org/ucum#section-Curly-Braces */
export const INSTRUMENTS: Readonly<Record<MetricName, Instrument>> = {
  'socket.send_fail': {
    kind: 'counter',
    unit: '{message}',
    description: 'Messages that were refused or lost.',
  },
  'socket.send_fail.size': {
    kind: 'counter',
    unit: 'By',
    description: 'Bytes of the messages that were refused or lost.',
  },
  'socket.message.sent': {
    kind: 'counter',
    unit: '{message}',
    description: 'Messages handed to the operating system.',
  },
  'socket.message.sent.size': {
    kind: 'counter',
    unit: 'By',
    description: 'Bytes of the messages handed to the operating system.',
  },
  'socket.send_buffer.usage': {
    kind: 'upDownCounter',
    unit: 'By',
    description: 'Bytes accepted and not yet handed to the operating system.',
  },
  'socket.send_buffer.limit': {
    kind: 'upDownCounter',
    unit: 'By',
    description: 'Sum of the finite limits of the open connections.',
  },
  'socket.send_buffer.full': {
    kind: 'counter',
    unit: '{event}',
    description: 'How often a connection reached its limit.',
  },
  'socket.send_buffer.over_limit': {
    kind: 'counter',
    unit: '{message}',
    description: 'Messages accepted although the limit was reached, on connections that are only observed.',
  },
  'socket.connection.count': {
    kind: 'upDownCounter',
    unit: '{connection}',
    description: 'Open connections by what their receiver is doing.',
  },
}

/** The names, in the order of the table. */
export const METRIC_NAMES: readonly MetricName[] = Object.freeze(Object.keys(INSTRUMENTS) as MetricName[])

/** Makes every instrument with `meter`. */
export function createInstruments(meter: Meter): Map<MetricName, Observable> {
  const made = METRIC_NAMES.map((name): [MetricName, Observable] => {
    const { description, kind, unit } = INSTRUMENTS[name]
    const options = { description, unit }
    const observable =
      kind === 'counter'
        ? meter.createObservableCounter(name, options)
        : meter.createObservableUpDownCounter(name, options)
    return [name, observable]
  })
  return new Map(made)
}
