/** The middle of a set of measurements, and how far its middle half spreads. */
export interface Spread {
  readonly low: number
  readonly median: number
  readonly high: number
}

/** Lower quartile, median and upper quartile, interpolated between neighbours. */
export function spreadOf(values: readonly number[]): Spread {
  const sorted = [...values].sort((a, b) => a - b)
  return { low: at(sorted, 0.25), median: at(sorted, 0.5), high: at(sorted, 0.75) }
}

export function medianOf(values: readonly number[]): number {
  return spreadOf(values).median
}

function at(sorted: readonly number[], share: number): number {
  const place = share * (sorted.length - 1)
  const below = sorted[Math.floor(place)] ?? Number.NaN
  const above = sorted[Math.ceil(place)] ?? Number.NaN
  return below + (above - below) * (place - Math.floor(place))
}
