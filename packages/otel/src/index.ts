export { METRIC_ATTRIBUTES, type MetricAttribute } from './attributes.ts'
export { SendFailInstrumentation, type SendFailInstrumentationConfig } from './instrumentation.ts'
export { INSTRUMENTS, type Instrument, METRIC_NAMES, type MetricName } from './instruments.ts'
export {
  bindMetrics,
  configureMetrics,
  exportMetrics,
  type MetricOptions,
  type MetricSource,
} from './metrics.ts'
