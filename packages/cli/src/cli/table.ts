import Table from 'cli-table3'
import stringWidth from 'string-width'

/** A column: how its cell is made, and how gladly it is given up when the terminal is narrow. */
export interface Column<R> {
  readonly title: string
  readonly cell: (row: R) => string
  /** Numbers stand at the right. */
  readonly right?: boolean
  /** The highest goes first; 0 stays always. */
  readonly rank: number
}

const GAP = 2
const EMPTY = ''
const BARE = {
  top: EMPTY,
  'top-mid': EMPTY,
  'top-left': EMPTY,
  'top-right': EMPTY,
  bottom: EMPTY,
  'bottom-mid': EMPTY,
  'bottom-left': EMPTY,
  'bottom-right': EMPTY,
  left: EMPTY,
  'left-mid': EMPTY,
  mid: EMPTY,
  'mid-mid': EMPTY,
  right: EMPTY,
  'right-mid': EMPTY,
  middle: ' '.repeat(GAP),
}

/** The rows as lines, with as many of the columns as fit `width`. `head` dresses the titles. */
export function table<R>(
  columns: readonly Column<R>[],
  rows: readonly R[],
  width: number,
  head: (title: string) => string = (title) => title,
): string[] {
  const cells = new Map(columns.map((column) => [column, rows.map((row) => column.cell(row))]))
  const widthOf = (column: Column<R>) =>
    Math.max(stringWidth(column.title), ...(cells.get(column) ?? []).map((cell) => stringWidth(cell)))
  const widths = new Map(columns.map((column) => [column, widthOf(column)]))
  const kept = [...columns]
  const total = () => kept.reduce((sum, column) => sum + (widths.get(column) ?? 0) + GAP, -GAP)
  while (total() > width) {
    const least = kept.reduce((a, b) => (b.rank >= a.rank ? b : a))
    if (least.rank === 0) break // the rest is cut off at the edge
    kept.splice(kept.indexOf(least), 1)
  }
  const made = new Table({
    head: kept.map(({ title }) => head(title)),
    chars: BARE,
    colAligns: kept.map(({ right }) => (right === true ? 'right' : 'left')),
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  })
  for (const at of rows.keys()) made.push(kept.map((column) => cells.get(column)?.[at] ?? ''))
  return made
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
}
