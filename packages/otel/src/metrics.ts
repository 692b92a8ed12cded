import { type MeterProvider, metrics } from '@opentelemetry/api'
import { type NetworkTransport, type ProtocolName, wrongType } from '@sendfail/core'
import { checkAttributes, type MetricAttribute } from './attributes.ts'
import { isReal, unbindMeter } from './binding.ts'
import { bindAll, search } from './search.ts'
import { state } from './state.ts'

/** What an adapter state. */
export interface MetricSource {
  /** The package that guards the sockets: the name of the meter, and of core's series. */
  readonly meter: string
  /** The version of that package. */
  readonly version: string
  /** The protocols its connections can carry; `null` where that is the application's own. */
  readonly protocols: readonly ProtocolName[]
  /** Default: TCP, and Unix domain sockets (on Windows named pipes). */
  readonly transports?: readonly NetworkTransport[] | undefined
}

/** Options of {@link configureMetrics}. */
export interface MetricOptions {
  /**
   * The attributes to keep; what differs only in others is added up before it is observed. Default: all of them. A View
   * that drops attributes does not add up: the JavaScript SDK keeps the last value of an observable instrument.
   */
  readonly attributes?: readonly MetricAttribute[] | undefined
}

const LOCAL_TRANSPORT: NetworkTransport = process.platform === 'win32' ? 'pipe' : 'unix'

/**
 * Exports the counters of one adapter as OpenTelemetry metrics, as soon as there is a meter provider; nothing counted
 * before is missing. Called by an adapter when it is imported; calling it again for the same meter, also from another
 * copy of the library, does nothing.
 */
export function exportMetrics(source: MetricSource): void {
  const { meter, protocols, transports = ['tcp', LOCAL_TRANSPORT], version } = source
  if (!state.meters.has(meter)) {
    const places = transports.flatMap((transport) => protocols.map((protocol) => ({ transport, protocol })))
    state.meters.set(meter, { meter, version, places, provider: null, collected: false, unbind: null })
  }
  search()
}

/**
 * Binds the metrics to `provider`, or without one to the global meter provider, away from any other. Only needed where
 * the library cannot know of it: for a provider that is not registered globally, and after the global one was replaced
 * (`metrics.disable()`, then `metrics.setGlobalMeterProvider()`).
 *
 * @returns whether that provider reports the metrics now; `false` if it is the API's no-op provider or was shut down
 * @throws {TypeError} `ERR_SEND_FAIL_OPTION` for something that is no meter provider
 */
export function bindMetrics(provider?: MeterProvider): boolean {
  if (provider !== undefined && typeof Object(provider).getMeter !== 'function')
    throw wrongType('ERR_SEND_FAIL_OPTION', 'provider', 'a MeterProvider', provider)
  const wanted = provider ?? metrics.getMeterProvider()
  if (!isReal(wanted)) return false
  state.provider = provider ?? null
  state.enabled = true
  const bound = bindAll(wanted, true)
  search()
  return bound
}

/** Takes the metrics off their provider until {@link bindMetrics} or {@link resumeMetrics}. */
export function suspendMetrics(): void {
  state.enabled = false
  for (const one of state.meters.values()) unbindMeter(one)
  search()
}

/** Undoes {@link suspendMetrics}. */
export function resumeMetrics(): void {
  state.enabled = true
  search()
}

/**
 * Sets how the metrics of this process are reported, before or after they are bound. Set it before the
 * provider's first collection: the SDK never forgets a set of attributes, so that later a cumulative reader goes on to
 * report the last value of each set that is no longer used; a process warning says so.
 *
 * @throws {TypeError} `ERR_SEND_FAIL_OPTION` for an option or an attribute that does not exist
 */
export function configureMetrics(options: MetricOptions): void {
  if (typeof options !== 'object' || options === null)
    throw wrongType('ERR_SEND_FAIL_OPTION', 'options', 'an options object', options)
  for (const name of Object.keys(options)) {
    if (name !== 'attributes') throw wrongType('ERR_SEND_FAIL_OPTION', 'an option', 'attributes', name)
  }
  const { attributes } = options
  if (attributes !== undefined) checkAttributes(attributes)
  const before = state.attributes
  state.attributes = attributes && Object.freeze([...new Set(attributes)].sort())
  const collected = [...state.meters.values()].some((one) => one.collected)
  if (!collected || String(before) === String(state.attributes)) return
  process.emitWarning('the attributes of the metrics were changed after the first collection', {
    type: 'SendFailWarning',
    code: 'ERR_SEND_FAIL_OPTION',
    detail:
      'A cumulative reader keeps reporting the last value of each set of attributes that is no longer used.',
  })
}
