import { adviceFor, type Reason, type Receiver } from '@sendfail/core'
import type { Failure, Publisher, Story } from './answers.ts'
import type { Screen } from './screen.ts'
import { number, plural, size, speed, time } from './words.ts'

/** One connection's whole story, as lines. */
export function storyView(
  key: string,
  publisher: Publisher,
  story: Story,
  nowMs: number,
  screen: Screen,
): string[] {
  const one = story.live ?? story.closed
  if (one === undefined) return []
  const { closed, live } = story
  const pending = live?.pending ?? 0
  const pendingBytes = live?.pendingBytes ?? 0
  const facts: [title: string, text: string][] = [
    ['process', `${publisher.pid} ${publisher.name}`],
    ['protocol', `${one.protocol ?? 'bytes'} over ${one.transport} (${one.meter})`],
    ['local', one.local ?? 'unknown'],
    ['foreign', one.foreign ?? 'unknown'],
    ['opened', `${clock(one.openedAtMs)}, ${time(nowMs - one.openedAtMs)} ago`],
    [
      'limit',
      `${one.limitBytes === null ? 'none' : size(one.limitBytes)}, onFull ${story.onFull}, admission ${story.admission}`,
    ],
    [
      'attempted',
      `${number(one.sent + one.failed + pending)} = ${number(one.sent)} sent + ${number(one.failed)} failed + ${number(pending)} pending`,
    ],
    [
      'bytes',
      `${size(one.sentBytes)} sent, ${size(one.failedBytes)} failed, ${size(pendingBytes)} pending${one.receivedBytes === null ? '' : `, ${size(one.receivedBytes)} received`}`,
    ],
    ['was full', plural(one.fullCount, 'time')],
  ]
  if (live !== undefined)
    facts.push([
      'state',
      live.state === live.receiver ? live.state : `${live.state}, receiver ${live.receiver}`,
    ])
  if (live?.backlog) facts.push(['backlog', backlogText(live.backlog)])
  if (closed !== undefined) {
    facts.push([
      'closed',
      `${clock(closed.closedAtMs)}, by ${closed.closedBy}${closed.cause === null ? '' : ` (${closed.cause})`}`,
    ])
    facts.push(['lost', `${plural(closed.lost, 'message')}, ${size(closed.lostBytes)}`])
  }
  const width = Math.max(...facts.map(([title]) => title.length))
  return [
    screen.bold(`connection ${key}`),
    ...facts.map(([title, text]) => `  ${screen.dim(title.padEnd(width))}  ${text}`),
    ...failures(one.failures, screen),
    ...moments(story, screen),
  ]
}

function backlogText(backlog: NonNullable<NonNullable<Story['live']>['backlog']>): string {
  const { ageMs, drainBytesPerSecond, idleMs, productionBytesPerSecond } = backlog
  const rates = `the server produces ${speed(productionBytesPerSecond)}, the client takes ${speed(drainBytesPerSecond)}`
  return `for ${time(ageMs)}; ${rates}; a byte last left ${time(idleMs)} ago`
}

function failures(all: readonly Failure[], screen: Screen): string[] {
  if (all.length === 0) return ['', 'No send has failed.']
  return [
    '',
    screen.bold('Failed sends'),
    ...all.flatMap(({ bytes, count, reason, receiver, stage }) => [
      `  ${number(count)} ${stage}: ${reason}${receiver === null ? '' : `, ${receiver}`} (${size(bytes)})`,
      screen.dim(`    ${adviceFor(reason as Reason, receiver as Receiver | null)}`),
    ]),
  ]
}

const EVENTS: Readonly<Record<string, string>> = {
  opened: 'wrapped',
  full: 'reached its limit',
  drained: 'is empty again',
  closed: 'closed',
}

function moments({ forgotten, moments: all }: Story, screen: Screen): string[] {
  const lines = all.map(
    ({ atMs, event, pendingBytes }) =>
      `  ${clock(atMs)}  ${EVENTS[event] ?? event}, ${size(pendingBytes)} pending`,
  )
  const [opened = '', ...rest] = lines
  const gap = forgotten > 0 ? [`  … ${plural(forgotten, 'moment')} more`] : []
  return ['', screen.bold('What happened'), opened, ...gap, ...rest]
}

function clock(ms: number): string {
  return new Date(ms).toISOString().replace('T', ' ').replace('Z', '')
}
