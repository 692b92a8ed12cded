import type { Attributes } from '@opentelemetry/api'
import {
  FAILURE_KINDS,
  type FailureKind,
  type NetworkTransport,
  type ProtocolName,
  type ReceiverState,
  wrongType,
} from '@sendfail/core'

/** The closed list of attribute names. Their values are closed lists too: never an address, an id or a message. */
export const METRIC_ATTRIBUTES: readonly MetricAttribute[] = Object.freeze([
  'error.type',
  'network.protocol.name',
  'network.transport',
  'socket.receiver',
  'socket.send_fail.stage',
])

/** The name of one attribute. */
export type MetricAttribute =
  | 'error.type'
  | 'network.protocol.name'
  | 'network.transport'
  | 'socket.receiver'
  | 'socket.send_fail.stage'

const RECEIVER_STATES: readonly ReceiverState[] = Object.freeze(['ok', 'burst', 'slow', 'stalled'] as const)

/** Throws unless every name is in the list. */
export function checkAttributes(names: unknown): asserts names is readonly MetricAttribute[] {
  const expected = `an array of ${METRIC_ATTRIBUTES.join(', ')}`
  if (!Array.isArray(names)) throw wrongType('ERR_SEND_FAIL_OPTION', 'attributes', expected, names)
  for (const name of names) {
    if (METRIC_ATTRIBUTES.includes(name)) continue
    throw wrongType('ERR_SEND_FAIL_OPTION', 'attributes', expected, name)
  }
}

type Values = Partial<Record<MetricAttribute, string | null>>

/** The attribute objects of one series. */
export interface SeriesAttributes {
  readonly series: Attributes
  /** One for each of core's `FAILURE_KINDS`, in its order. */
  readonly failures: readonly Attributes[]
  /** One for each state a receiver can be in. */
  readonly receivers: readonly (readonly [ReceiverState, Attributes])[]
}

/**
 * Makes every attribute object once, and frozen: the SDK keeps them by reference for ever. Two that are equal after
 * attributes were left out are the same object, by which their values are added up.
 */
export class AttributeSets {
  readonly #kept: ReadonlySet<string>
  readonly #sets = new Map<string, Attributes>()
  readonly #series = new Map<string, SeriesAttributes>()

  constructor(kept: readonly MetricAttribute[] = METRIC_ATTRIBUTES) {
    this.#kept = new Set(kept)
  }

  of(transport: NetworkTransport, protocol: ProtocolName): SeriesAttributes {
    const key = `${transport} ${protocol}`
    let found = this.#series.get(key)
    if (found === undefined) {
      const place: Values = { 'network.transport': transport, 'network.protocol.name': protocol }
      found = {
        series: this.#set(place),
        failures: FAILURE_KINDS.map((kind) => this.#set({ ...valuesOf(kind), ...place })),
        receivers: RECEIVER_STATES.map((state) => [state, this.#set({ 'socket.receiver': state, ...place })]),
      }
      this.#series.set(key, found)
    }
    return found
  }

  #set(values: Values): Attributes {
    const kept = Object.entries(values).filter(([name, value]) => value !== null && this.#kept.has(name))
    const key = JSON.stringify(kept)
    const set = this.#sets.get(key) ?? Object.freeze(Object.fromEntries(kept) as Attributes)
    this.#sets.set(key, set)
    return set
  }
}

function valuesOf({ reason, receiver, stage }: FailureKind): Values {
  return { 'error.type': reason, 'socket.send_fail.stage': stage, 'socket.receiver': receiver }
}
