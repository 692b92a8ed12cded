import type { MeterProvider } from '@opentelemetry/api'
import type { MetricAttribute } from './attributes.ts'
import type { SeriesPlace } from './observation.ts'

/** One meter: what it reports, and the provider it is bound to. */
export interface ExportedMeter {
  readonly meter: string
  readonly version: string
  /** The series that are reported from the start. */
  readonly places: readonly SeriesPlace[]
  /** `null` until a real provider was found. */
  provider: MeterProvider | null
  /** Has that provider collected anything yet? */
  collected: boolean
  /** Takes the observing callback off that provider. */
  unbind: (() => void) | null
}

/** What all copies of this package in one process share, so that no value is observed twice. */
export interface MetricState {
  /** By the name of the meter. */
  readonly meters: Map<string, ExportedMeter>
  /** Given explicitly or to the instrumentation; `null` for the global one. */
  provider: MeterProvider | null
  /** The attributes to keep. */
  attributes: readonly MetricAttribute[] | undefined
  /** `false` while the instrumentation is disabled. */
  enabled: boolean
}

const KEY = Symbol.for('sendfail.otel.v1')

function shared(): MetricState {
  const holder = globalThis as { [KEY]?: MetricState }
  if (holder[KEY] === undefined) {
    const made: MetricState = {
      meters: new Map(),
      provider: null,
      attributes: undefined,
      enabled: true,
    }
    Object.defineProperty(holder, KEY, { value: made })
  }
  return holder[KEY] as MetricState
}

export const state: MetricState = shared()
