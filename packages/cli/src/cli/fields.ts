import type { Listed, ListedClosed } from './listed.ts'
import type { Column } from './table.ts'
import { number, plural, size, speed, time } from './words.ts'

/** A field of a list: the name it has in `--sort` and `--filter`, its value, and its column. */
export interface Field<R> {
  readonly name: string
  readonly value: (row: R) => number | string | null
  readonly column: Column<R>
}

type Both = Pick<
  ListedClosed,
  'ageMs' | 'failed' | 'foreign' | 'key' | 'local' | 'name' | 'pid' | 'protocol' | 'sent' | 'transport'
>

function field<R>(
  name: string,
  title: string,
  rank: number,
  value: Field<R>['value'],
  show?: (value: number) => string,
): Field<R> {
  const cell = (row: R) => {
    const found = value(row)
    if (found === null) return '-'
    return typeof found === 'string' ? found : (show ?? number)(found)
  }
  return { name, value, column: { title, rank, cell, ...(show === undefined ? {} : { right: true }) } }
}

const protocolOf = ({ protocol, transport }: Both) => protocol ?? transport
const PID = <R extends Both>() => field<R>('pid', 'PID', 1, ({ pid }) => pid, String)
const ID = <R extends Both>() => field<R>('id', 'ID', 0, ({ key }) => key)
const PROTOCOL = <R extends Both>() => field<R>('protocol', 'PROTOCOL', 8, protocolOf)
const SENT = <R extends Both>() => field<R>('sent', 'SENT', 7, ({ sent }) => sent, number)
const FAILED = <R extends Both>() => field<R>('failed', 'FAILED', 3, ({ failed }) => failed, number)
const LOCAL = <R extends Both>() => field<R>('local', 'LOCAL', 12, ({ local }) => local)
const FOREIGN = <R extends Both>() => field<R>('foreign', 'FOREIGN', 6, ({ foreign }) => foreign)

/** Of `sendfail connections`. */
export const LIVE_FIELDS: readonly Field<Listed>[] = [
  PID(),
  ID(),
  PROTOCOL(),
  field('state', 'STATE', 0, ({ state }) => state),
  field('receiver', 'RECEIVER', 4, ({ receiver }) => receiver),
  field('sendq', 'SEND-Q', 0, ({ pendingBytes }) => pendingBytes, size),
  field('limit', 'LIMIT', 5, ({ limitBytes }) => limitBytes, size),
  SENT(),
  FAILED(),
  field('out', 'OUT', 9, ({ outBytesPerSecond }) => outBytesPerSecond, speed),
  field('in', 'IN', 10, ({ inBytesPerSecond }) => inBytesPerSecond, speed),
  field('age', 'AGE', 11, ({ ageMs }) => ageMs, time),
  LOCAL(),
  FOREIGN(),
]

/** Of `sendfail connections --closed`. */
export const CLOSED_FIELDS: readonly Field<ListedClosed>[] = [
  PID(),
  ID(),
  PROTOCOL(),
  field(
    'age',
    'CLOSED',
    4,
    ({ ageMs }) => ageMs,
    (ms) => `${time(ms)} ago`,
  ),
  field('by', 'CLOSED BY', 0, ({ closedBy }) => closedBy),
  field('cause', 'CAUSE', 5, ({ cause }) => cause),
  field('lost', 'LOST', 0, ({ lost }) => lost, number),
  field('lostbytes', 'LOST BYTES', 9, ({ lostBytes }) => lostBytes, size),
  FAILED(),
  SENT(),
  field('life', 'OPEN FOR', 10, ({ closedAtMs, openedAtMs }) => Math.max(0, closedAtMs - openedAtMs), time),
  LOCAL(),
  FOREIGN(),
]

/** The field of that name, or whose column is called so: `sendq`, `Send-Q`, `closed-by`. */
export function fieldCalled<R>(text: string, fields: readonly Field<R>[]): Field<R> | undefined {
  const wanted = bareName(text)
  return (
    fields.find(({ name }) => name === wanted) ??
    fields.find(({ column }) => bareName(column.title) === wanted)
  )
}

function bareName(text: string): string {
  return text.toLowerCase().replace(/[\s_-]/g, '')
}

/** Sorted by a field, numbers from the largest down and words from A up; what has none comes last. */
export function sorted<R>(rows: readonly R[], { value }: Field<R>, reverse: boolean): R[] {
  const sign = reverse ? -1 : 1
  return [...rows].sort((a, b) => {
    const [one, other] = [value(a), value(b)]
    if (one === null || other === null) return Number(one === null) - Number(other === null)
    if (typeof one === 'number' && typeof other === 'number') return sign * (other - one)
    return sign * String(one).localeCompare(String(other))
  })
}

export function ofThem(shown: number, all: number): string {
  return shown === all ? plural(all, 'connection') : `${number(shown)} of ${plural(all, 'connection')}`
}
