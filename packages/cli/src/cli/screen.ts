import pc from 'picocolors'

/** Where a view is shown: how wide it is, and in which colours. */
export interface Screen {
  /** In columns; `Infinity` where nobody reads in lines. */
  readonly width: number
  readonly bold: (text: string) => string
  readonly dim: (text: string) => string
  readonly good: (text: string) => string
  readonly bad: (text: string) => string
  readonly warn: (text: string) => string
}

/** Colour only on a terminal, and not with `NO_COLOR`; `FORCE_COLOR` wants it anywhere. */
export function screenOf(stream: { readonly isTTY?: boolean; readonly columns?: number }): Screen {
  const { FORCE_COLOR, NO_COLOR } = process.env
  const forced = FORCE_COLOR !== undefined && FORCE_COLOR !== '0' && FORCE_COLOR !== ''
  const plain = NO_COLOR !== undefined && NO_COLOR !== ''
  const { bold, dim, green, red, yellow } = pc.createColors(!plain && (forced || stream.isTTY === true))
  const width = stream.isTTY === true ? (stream.columns ?? 80) : Number.POSITIVE_INFINITY
  return { width, bold, dim, good: green, bad: red, warn: yellow }
}
