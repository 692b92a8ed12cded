import type { Look } from './look.ts'
import { addUp, backlogged, type Process } from './processes.ts'
import type { Screen } from './screen.ts'
import { type Column, table } from './table.ts'
import { type Why, whyOf } from './why.ts'
import { number, plural, rate, share, size, speed, time } from './words.ts'

const ARROWS = { falling: '↓', rising: '↑', steady: '→' } as const

const WHY_COLUMNS: readonly Column<Why>[] = [
  {
    title: 'WHY',
    rank: 0,
    cell: ({ reason, receiver }) => (receiver === null ? reason : `${reason}, ${receiver}`),
  },
  { title: 'STAGE', rank: 3, cell: ({ stage }) => stage },
  { title: 'COUNT', rank: 0, right: true, cell: ({ count }) => number(count) },
  { title: 'SHARE', rank: 1, right: true, cell: (why) => share(why.share, 1) },
  { title: 'PER S', rank: 2, right: true, cell: ({ perSecond }) => rate(perSecond) },
  {
    title: 'TREND',
    rank: 4,
    cell: ({ more, trend }) => (trend === null ? '' : `${ARROWS[trend]} +${number(more ?? 0)}`),
  },
]

/** Everything a status view shows. */
export interface StatusFacts {
  readonly processes: readonly Process[]
  readonly last: Look | null
  readonly nowMs: number
}

/**
 * Why sends failed, and how the clients do, as lines.
 *
 * @param answered those of the processes that said their numbers
 */
export function whyLines(facts: StatusFacts, answered: readonly Process[], screen: Screen): string[] {
  const { last, nowMs } = facts
  const silent = facts.processes.filter(({ state }) => state !== 'ok').length
  const all = addUp(answered)
  const { slow, stalled } = all
  const reasons = whyOf(answered, last, nowMs)
  const lines: string[] = []
  if (reasons.length > 0) {
    const since =
      last === null
        ? 'rates since each process started'
        : `rates and trend since the last look, ${time(nowMs - last.atMs)} ago`
    lines.push(`${screen.bold(`${number(all.failed)} of ${number(all.attempted)} sends failed`)} (${since}):`)
    const [head = '', ...rows] = table(WHY_COLUMNS, reasons, screen.width, screen.bold)
    lines.push(head)
    for (const [at, why] of reasons.entries()) lines.push(rows[at] ?? '', screen.dim(`    ${why.advice}`))
    lines.push('')
  }
  if (stalled.connections > 0)
    lines.push(
      screen.bad(`${plural(stalled.connections, 'client')} stalled`) +
        `: not one byte left for up to ${time(stalled.longestMs)}.`,
    )
  if (slow !== null) lines.push(slowLine(slow, nowMs, screen))
  if (silent > 0) {
    const of = plural(facts.processes.length, 'process', 'processes')
    lines.push(
      screen.warn(`${number(silent)} of ${of} did not answer: what fails there is not in these numbers.`),
    )
  }
  const waiting = backlogged(all.connections)
  if (waiting === 0 && reasons.length === 0 && silent > 0) return lines
  if (waiting === 0)
    lines.push(
      reasons.length > 0
        ? 'No client is behind now.'
        : screen.good('Nothing is wrong: no send has failed, and no client is behind.'),
    )
  else if (reasons.length === 0)
    lines.push(`No send has failed. ${plural(waiting, 'client')} behind, ${size(all.pendingBytes)} waiting.`)
  return lines
}

/** The two rates that have to meet. */
function slowLine(slow: NonNullable<Process['slow']>, nowMs: number, screen: Screen): string {
  const { connections, drainBytesPerSecond, productionBytesPerSecond } = slow
  const rates = `the server produces ${speed(productionBytesPerSecond)}, the client takes ${speed(drainBytesPerSecond)}`
  if (connections === 0)
    return `A client was slow ${time(nowMs - slow.atMs)} ago: ${rates.replace('produces', 'produced').replace('takes', 'took')}.`
  const them = connections === 1 ? rates : rates.replace('the client takes', 'they take')
  return `${screen.warn(`${plural(connections, 'client')} slow`)}: ${them}.`
}
