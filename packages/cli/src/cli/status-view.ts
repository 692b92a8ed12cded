import { PROTOCOL_VERSION } from '../protocol.ts'
import { changeOf, type Look } from './look.ts'
import { addUp, backlogged, type Process } from './processes.ts'
import type { Screen } from './screen.ts'
import { type Column, table } from './table.ts'
import { type StatusFacts, whyLines } from './why-view.ts'
import { number, plural, rate, size, time } from './words.ts'

interface Row extends Omit<Process, 'pid' | 'state' | 'uptimeMs'> {
  readonly label: string
  readonly stateText: string
  /** Did it say its numbers? */
  readonly known: boolean
  readonly uptimeMs: number | null
  readonly perSecond: number
}

/** What a process did not say is no number. */
function known(cell: (row: Row) => string): (row: Row) => string {
  return (row) => (row.known ? cell(row) : '-')
}

const COLUMNS: readonly Column<Row>[] = [
  { title: 'PID', rank: 0, cell: ({ label }) => label },
  { title: 'NAME', rank: 1, cell: ({ name }) => name },
  {
    title: 'UPTIME',
    rank: 6,
    right: true,
    cell: known(({ uptimeMs }) => (uptimeMs === null ? '' : time(uptimeMs))),
  },
  {
    title: 'MEMORY',
    rank: 7,
    right: true,
    cell: known(({ rssBytes }) => size(rssBytes ?? 0)),
  },
  { title: 'LISTENING', rank: 9, cell: ({ listening }) => listeningText(listening) },
  {
    title: 'CONNECTIONS',
    rank: 3,
    right: true,
    cell: known(({ connections }) => number(connections.ok + backlogged(connections))),
  },
  {
    title: 'BACKLOGGED',
    rank: 4,
    right: true,
    cell: known(({ connections }) => number(backlogged(connections))),
  },
  { title: 'PENDING', rank: 5, right: true, cell: known(({ pendingBytes }) => size(pendingBytes)) },
  { title: 'SENT', rank: 8, right: true, cell: known(({ sent }) => number(sent)) },
  { title: 'SEND_FAIL', rank: 0, right: true, cell: known(({ failed }) => number(failed)) },
  { title: 'FAIL/S', rank: 2, right: true, cell: known(({ perSecond }) => rate(perSecond)) },
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
      known: process.startedAtMs !== null,
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
        known: false,
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
    known: true,
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
