import { type Field, fieldCalled } from './fields.ts'

/** A filter that cannot be read; the message says what it could be. */
export class FilterError extends Error {
  readonly code = 'ERR_SEND_FAIL_FILTER'
}

const UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 1e3,
  kib: 2 ** 10,
  mb: 1e6,
  mib: 2 ** 20,
  gb: 1e9,
  gib: 2 ** 30,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

/**
 * Reads `state=stalled`, `foreign=10.0.` (a part of it), `pid!=123`, `sendq>1MiB`, `age>=10s`.
 *
 * @throws {FilterError}
 */
export function filterOf<R>(text: string, fields: readonly Field<R>[]): (row: R) => boolean {
  const [, name = '', operator = '', wanted = ''] =
    /^([\w -]+?)\s*(!=|>=|<=|=|>|<)\s*(.+)$/.exec(text.trim()) ?? []
  const field = fieldCalled(name, fields)
  if (field === undefined) {
    const names = fields.map((one) => one.name).join(', ')
    throw new FilterError(
      `a filter is <field><operator><value>, such as state=stalled or sendq>1MiB; got ${text}. Fields: ${names}`,
    )
  }
  if (operator !== '=' && operator !== '!=') {
    const bound = amountOf(wanted)
    if (bound === null)
      throw new FilterError(`${operator} compares numbers, such as 10, 1MiB or 30s; got ${text}`)
    return (row) => compare(field.value(row), operator, bound)
  }
  const equal = (row: R) => matches(row, field, wanted)
  return operator === '=' ? equal : (row) => !equal(row)
}

/** `10`, `1MiB`, `30s`; `null` if it is none. */
function amountOf(text: string): number | null {
  const [, digits, unit = ''] = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text) ?? []
  const factor = UNITS[unit.toLowerCase()]
  return digits === undefined || factor === undefined ? null : Number(digits) * factor
}

function matches<R>(row: R, { name, value }: Field<R>, wanted: string): boolean {
  const found = value(row)
  if (typeof found === 'number') return found === amountOf(wanted)
  if (found === null) return wanted === '-'
  const { receiver } = row as { receiver?: unknown }
  if (name === 'state' && receiver === wanted) return true // one that is full has a receiver too
  return ADDRESSES.has(name) ? found.includes(wanted) : found === wanted
}

const ADDRESSES: ReadonlySet<string> = new Set(['cause', 'foreign', 'local'])

function compare(found: number | string | null, operator: string, bound: number): boolean {
  if (typeof found !== 'number') return false
  if (operator === '>') return found > bound
  if (operator === '<') return found < bound
  return operator === '>=' ? found >= bound : found <= bound
}
