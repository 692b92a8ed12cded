import {
  type BatchObservableCallback,
  createNoopMeter,
  diag,
  type Meter,
  type MeterProvider,
} from '@opentelemetry/api'
import { snapshot } from '@sendfail/core'
import { AttributeSets } from './attributes.ts'
import { createInstruments } from './instruments.ts'
import { observationOf } from './observation.ts'
import { type ExportedMeter, state } from './state.ts'

/**
 * Binds a meter to `provider`, away from any other it was bound to: values are absolute, so nothing counted before is
 * missing, and only one provider observes them. Never binds to the no-op provider, whose meters stay dead for ever.
 *
 * @returns whether it is bound to `provider` now
 */
export function bindMeter(one: ExportedMeter, provider: MeterProvider): boolean {
  if (one.provider === provider) return true
  try {
    const meter = realMeter(provider, one.meter, one.version)
    if (meter === null) return false
    const unbind = observe(one, meter)
    unbindMeter(one)
    one.provider = provider
    one.unbind = unbind
    one.collected = false
    return true
  } catch (error) {
    diag.error(`sendfail: the meter provider failed for ${one.meter}`, error)
    return false
  }
}

/** Takes the meter off its provider. */
export function unbindMeter(one: ExportedMeter): void {
  one.unbind?.()
  one.unbind = null
  one.provider = null
}

/** Does this provider make meters that report? */
export function isReal(provider: MeterProvider): boolean {
  try {
    return realMeter(provider, '@sendfail/otel', '') !== null
  } catch (error) {
    diag.error('sendfail: the meter provider failed', error)
    return false
  }
}

/** The meter, unless the provider is the no-op one of this copy of the API, or of another, or was shut down. */
function realMeter(provider: MeterProvider, name: string, version: string): Meter | null {
  const meter = provider.getMeter(name, version)
  return meter === createNoopMeter() || meter.constructor.name === 'NoopMeter' ? null : meter
}

function observe(one: ExportedMeter, meter: Meter): () => void {
  const instruments = createInstruments(meter)
  const observables = [...instruments.values()]
  let { attributes } = state
  let sets = new AttributeSets(attributes)

  /** An error in here would cost the process its other metrics, or its life: it ends here. */
  const callback: BatchObservableCallback = (result) => {
    try {
      if (attributes !== state.attributes) {
        attributes = state.attributes
        sets = new AttributeSets(attributes)
      }
      one.collected = true
      const statuses = snapshot().series.filter((status) => status.meter === one.meter)
      const observation = observationOf(one.places, statuses, sets)
      for (const [name, observable] of instruments) {
        for (const [set, value] of observation.get(name) ?? []) result.observe(observable, value, set)
      }
    } catch (error) {
      diag.error(`sendfail: ${one.meter} could not be observed`, error)
    }
  }
  meter.addBatchObservableCallback(callback, observables)
  return () => meter.removeBatchObservableCallback(callback, observables)
}
