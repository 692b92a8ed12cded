import { CLOSED_FIELDS, type Field, LIVE_FIELDS, ofThem, sorted } from './fields.ts'
import { filterOf } from './filter.ts'
import type { Listed, ListedClosed } from './listed.ts'
import type { Screen } from './screen.ts'
import { table } from './table.ts'

/** Which connections are listed, and in which order. */
export interface Selection {
  readonly filters: readonly string[]
  /** The name of a field; `null` for the one that matters most. */
  readonly sort: string | null
  readonly reverse: boolean
  readonly limit: number
}

export interface Selected<R> {
  readonly shown: readonly R[]
  /** How many there are without `limit`. */
  readonly matching: number
}

/** @throws {FilterError} */
function select<R>(
  rows: readonly R[],
  selection: Selection,
  fields: readonly Field<R>[],
  first: string,
): Selected<R> {
  const filters = selection.filters.map((text) => filterOf(text, fields))
  const matching = rows.filter((row) => filters.every((filter) => filter(row)))
  const by = fields.find(({ name }) => name === (selection.sort ?? first)) as Field<R>
  const shown = sorted(matching, by, selection.reverse).slice(0, selection.limit)
  return { shown, matching: matching.length }
}

/** The biggest Send-Q comes first. */
export function selectLive(rows: readonly Listed[], selection: Selection): Selected<Listed> {
  return select(rows, selection, LIVE_FIELDS, 'sendq')
}

/** Those that closed last come first. */
export function selectClosed(rows: readonly ListedClosed[], selection: Selection): Selected<ListedClosed> {
  const { reverse, sort } = selection
  return select(rows, { ...selection, reverse: sort === null ? !reverse : reverse }, CLOSED_FIELDS, 'age')
}

export function liveView(selected: Selected<Listed>, all: number, screen: Screen): string[] {
  return listView(selected, all, LIVE_FIELDS, screen, 'No connection is open.')
}

export function closedView(selected: Selected<ListedClosed>, all: number, screen: Screen): string[] {
  return listView(
    selected,
    all,
    CLOSED_FIELDS,
    screen,
    'No connection has closed since the processes began to publish.',
  )
}

function listView<R>(
  { matching, shown }: Selected<R>,
  all: number,
  fields: readonly Field<R>[],
  screen: Screen,
  none: string,
): string[] {
  if (all === 0) return [none]
  if (matching === 0) return [`None of ${ofThem(all, all)} matches.`]
  const columns = fields.map(({ column }) => column)
  const more = shown.length < matching ? `, ${matching - shown.length} not shown (--limit)` : ''
  return [...table(columns, shown, screen.width, screen.bold), screen.dim(`${ofThem(matching, all)}${more}`)]
}
