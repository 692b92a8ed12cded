import { PROTOCOL_VERSION } from '../protocol.ts'
import { changeOf, type Look } from './look.ts'
import { addUp, backlogged, type Process } from './processes.ts'
import type { Screen } from './screen.ts'
import { type Column, table } from './table.ts'
import { type Why, whyOf } from './why.ts'
import { number, plural, rate, share, size, speed, time } from './words.ts'

/** Everything a status view shows. */
export interface StatusFacts {
  readonly processes: readonly Process[]
  readonly last: Look | null
  readonly nowMs: number
}

interface Row extends Omit<Process, 'pid' | 'state' | 'uptimeMs'> {
  readonly label: string
  readonly stateText: string
  readonly uptimeMs: number | null
  readonly perSecond: number
}

const COLUMNS: readonly Column<Row>[] = [
  { title: 'PID', rank: 0, cell: ({ label }) => label },
  { title: 'NAME', rank: 1, cell: ({ name }) => name },
  {
    title: 'UPTIME',
    rank: 6,
    right: true,
    cell: ({ uptimeMs }) => (uptimeMs === null ? '' : time(uptimeMs)),
  },
  {
    title: 'MEMORY',
    rank: 7,
    right: true,
    cell: ({ rssBytes }) => (rssBytes === null ? '' : size(rssBytes)),
  },
  { title: 'LISTENING', rank: 9, cell: ({ listening }) => listeningText(listening) },
  {
    title: 'CONNECTIONS',
    rank: 3,
    right: true,
    cell: ({ connections }) => number(connections.ok + backlogged(connections)),
  },
  { title: 'BACKLOGGED', rank: 4, right: true, cell: ({ connections }) => number(backlogged(connections)) },
  { title: 'PENDING', rank: 5, right: true, cell: ({ pendingBytes }) => size(pendingBytes) },
  { title: 'SENT', rank: 8, right: true, cell: ({ sent }) => number(sent) },
  { title: 'SEND_FAIL', rank: 0, right: true, cell: ({ failed }) => number(failed) },
  { title: 'FAIL/S', rank: 2, right: true, cell: ({ perSecond }) => rate(perSecond) },
  { title: 'STATE', rank: 0, cell: ({ stateText }) => stateText },
]

/** The view as lines. */
export function statusView(facts: StatusFacts, screen: Screen): string[] {
  const { last, nowMs, processes } = facts
  const answered = processes.filter(({ startedAtMs }) => startedAtMs !== null)
  const rows = [...rowsOf(processes, last, nowMs), totalRow(answered, last, nowMs)]
  const lines = table(COLUMNS, rows, screen.width, screen.bold)
  const total = lines.pop() ?? ''
  return [...lines, screen.bold(total), '', ...whyLines(facts, answered, screen)]
}

function rowsOf(processes: readonly Process[], last: Look | null, nowMs: number): Row[] {
  const alone = new Set(processes.map(({ pid }) => pid))
  const headed = new Set<number>()
  return processes.flatMap((process) => {
    const { pid, primaryPid } = process
    const change = changeOf(process, last, nowMs)
    const row: Row = {
      ...process,
      label: primaryPid === null ? String(pid) : `  ${pid}`,
      name: process.threads > 1 ? `${process.name} (${process.threads} threads)` : process.name,
      stateText: stateText(process),
      perSecond: (change.failed() * 1000) / change.overMs,
    }
    if (primaryPid === null || alone.has(primaryPid) || headed.has(primaryPid)) return [row]
    headed.add(primaryPid)
    const silent = {
      ...addUp([]),
      uptimeMs: null,
      rssBytes: null,
      startedAtMs: null,
      primaryPid: null,
      threads: 0,
      v: 0,
    }
    return [
      {
        ...silent,
        label: String(primaryPid),
        name: '',
        perSecond: 0,
        stateText: 'primary, does not publish',
      },
      row,
    ]
  })
}

function totalRow(processes: readonly Process[], last: Look | null, nowMs: number): Row {
  const changes = processes.map((process) => changeOf(process, last, nowMs))
  return {
    ...addUp(processes),
    label: 'all',
    name: plural(processes.length, 'process', 'processes'),
    stateText: '',
    v: 0,
    threads: 0,
    primaryPid: null,
    startedAtMs: null,
    uptimeMs: null,
    rssBytes: processes.reduce((sum, { rssBytes }) => sum + (rssBytes ?? 0), 0),
    listening: [],
    perSecond: changes.reduce((sum, change) => sum + (change.failed() * 1000) / change.overMs, 0),
  }
}

function listeningText(listening: readonly string[]): string {
  const [first = '-', ...more] = listening
  return more.length === 0 ? first : `${first} +${more.length}`
}

function stateText({ state, v }: Process): string {
  if (state === 'busy') return 'busy: no answer within 1 s'
  if (state === 'stopped') return 'stopped by a signal'
  if (state === 'died') return 'died while it answered'
  if (state === 'unreadable') return 'its answer cannot be read'
  if (state === 'ok') return 'ok'
  return v > PROTOCOL_VERSION
    ? `newer than this command (${v} > ${PROTOCOL_VERSION}): update the command`
    : `older than this command (${v} < ${PROTOCOL_VERSION}): update sendfail there`
}

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

function whyLines({ last, nowMs }: StatusFacts, processes: readonly Process[], screen: Screen): string[] {
  const all = addUp(processes)
  const { slow, stalled } = all
  const reasons = whyOf(processes, last, nowMs)
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
  const waiting = backlogged(all.connections)
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
