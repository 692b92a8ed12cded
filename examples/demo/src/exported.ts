import type { Attributes } from '@opentelemetry/api'
import { keyOf, type Point } from './points.ts'
import { type Paint, table } from './table.ts'

/** The metrics as the reader exported them: a table for each meter, a column for each attribute. */
export function exportedMetrics(points: readonly Point[], paint: Paint): string[] {
  const meters = [...new Set(points.map(({ meter }) => meter))].sort()
  return [
    paint('bold', 'Exported by OpenTelemetry (PeriodicExportingMetricReader of @opentelemetry/sdk-metrics)'),
    ...meters.flatMap((meter) =>
      exportedByMeter(
        meter,
        points.filter((point) => point.meter === meter),
        paint,
      ),
    ),
  ]
}

function exportedByMeter(meter: string, points: readonly Point[], paint: Paint): string[] {
  const shown = points.filter(({ value }) => value !== 0).sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
  const common = commonTo(shown.map(({ attributes }) => attributes))
  const names = [...new Set(shown.flatMap(({ attributes }) => Object.keys(attributes)))]
  const columns = names.filter((name) => !Object.hasOwn(common, name)).sort()
  const rows = shown.map(({ attributes, name, unit, value }) => {
    return [name, `${value}`, unit, ...columns.map((column) => String(attributes[column] ?? ''))]
  })
  const everywhere = Object.entries(common).map(([name, value]) => `${name}=${value}`)
  return [
    `  meter ${meter}, ${everywhere.join(', ')}`,
    ...table(['metric', '>value', 'unit', ...columns], rows, paint),
    `  ${paint('dim', `and ${points.length - shown.length} more at 0`)}`,
    '',
  ]
}

/** The attributes that all of them have, with the same value. */
function commonTo(all: readonly Attributes[]): Attributes {
  const [first = {}, ...others] = all
  const common = Object.entries(first).filter(([name, value]) =>
    others.every((attributes) => attributes[name] === value),
  )
  return Object.fromEntries(common)
}
