import { metrics } from '@opentelemetry/api'
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics'
import type { Point } from './points.ts'

/** OpenTelemetry as a program sets it up; only that the exporter keeps what a Collector would be sent. */
export class Metrics {
  readonly #exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE)
  readonly #provider: MeterProvider

  constructor() {
    const exporter = this.#exporter
    const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 60_000 })
    this.#provider = new MeterProvider({ readers: [reader] })
    metrics.setGlobalMeterProvider(this.#provider)
  }

  /** What the reader exports now. */
  async export(): Promise<Point[]> {
    this.#exporter.reset()
    await this.#provider.forceFlush()
    const points: Point[] = []
    for (const { scope, metrics } of this.#exporter.getMetrics().flatMap((all) => all.scopeMetrics)) {
      for (const { dataPoints, descriptor } of metrics) {
        for (const { attributes, value } of dataPoints) {
          const { name, unit } = descriptor
          points.push({ meter: scope.name, name, unit, attributes, value: Number(value) })
        }
      }
    }
    return points
  }

  stop(): Promise<void> {
    return this.#provider.shutdown()
  }
}
