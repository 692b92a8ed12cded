import type { MeterProvider } from '@opentelemetry/api'
import { isReal } from './binding.ts'
import {
  bindMetrics,
  configureMetrics,
  type MetricOptions,
  resumeMetrics,
  suspendMetrics,
} from './metrics.ts'
import { VERSION } from './version.ts'

/** Options of {@link SendFailInstrumentation}. */
export interface SendFailInstrumentationConfig extends MetricOptions {
  /** `false` exports nothing until `enable()` is called; default `true`. */
  readonly enabled?: boolean
}

/**
 * For `new NodeSDK({ instrumentations: [new SendFailInstrumentation()] })` and `registerInstrumentations`: hands the
 * SDK's meter provider to the metrics, global or not. It patches nothing. Without it they find the global provider by
 * themselves, a little later.
 *
 * Has the shape of the interface `Instrumentation` of `@opentelemetry/instrumentation` without depending on it, because
 * each of its versions belongs to one version of the SDK.
 */
export class SendFailInstrumentation {
  readonly instrumentationName: string = '@sendfail/otel'
  readonly instrumentationVersion: string = VERSION
  #config: SendFailInstrumentationConfig = {}
  #enabled: boolean
  #provider: MeterProvider | null = null

  /** @throws {TypeError} `ERR_SEND_FAIL_OPTION`, as `configureMetrics` */
  constructor(config: SendFailInstrumentationConfig = {}) {
    this.setConfig(config)
    this.#enabled = config.enabled !== false
  }

  /** Called by the SDK, more than once, at first with the API's no-op provider. */
  setMeterProvider(provider: MeterProvider): void {
    if (!isReal(provider)) return
    this.#provider = provider
    if (this.#enabled) bindMetrics(provider)
  }

  /** Exports the metrics again. */
  enable(): void {
    this.#enabled = true
    if (this.#provider === null || !bindMetrics(this.#provider)) resumeMetrics()
  }

  /** Takes the metrics off their provider; counting goes on. */
  disable(): void {
    this.#enabled = false
    suspendMetrics()
  }

  /** @throws {TypeError} `ERR_SEND_FAIL_OPTION`, as `configureMetrics` */
  setConfig(config: SendFailInstrumentationConfig): void {
    const { enabled, ...options } = config
    if (Object.keys(options).length > 0) configureMetrics(options)
    this.#config = { ...options, enabled: enabled !== false }
  }

  getConfig(): SendFailInstrumentationConfig {
    return this.#config
  }

  /** There are no spans. */
  setTracerProvider(): void {}

  /** There are no log records. */
  setLoggerProvider(): void {}
}
