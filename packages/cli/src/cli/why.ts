import { adviceFor, type Reason, type Receiver } from '@sendfail/core'
import { type Change, changeOf, type Look } from './look.ts'
import { addUp, kindOf, type Process } from './processes.ts'

/** One way in which sends failed, with what it means. */
export interface Why {
  readonly reason: string
  readonly stage: string
  readonly receiver: string | null
  readonly count: number
  readonly bytes: number
  /** Of all failed sends, 0 to 1. */
  readonly share: number
  /** Messages a second, over the time the trend is about. */
  readonly perSecond: number
  /** More since the last look; `null` without one. */
  readonly more: number | null
  /** Is it more often now than it was before the last look? `null` without one. */
  readonly trend: 'falling' | 'rising' | 'steady' | null
  readonly advice: string
}

/** A fifth more or less is neither. */
const STEADY = 1.2

/** Every way in which sends of these processes failed, the most frequent first. */
export function whyOf(processes: readonly Process[], last: Look | null, nowMs: number): Why[] {
  const { failed, failures } = addUp(processes)
  const changes = processes.map((process) => changeOf(process, last, nowMs))
  const compared = changes.some(({ sinceLook }) => sinceLook)
  return failures.map((failure) => {
    const kind = kindOf(failure)
    const more = compared
      ? sum(changes, ({ failed: count, sinceLook }) => (sinceLook ? count(kind) : 0))
      : null
    const perSecond = sum(changes, ({ failed: count, overMs }) => (count(kind) * 1000) / overMs)
    return {
      ...failure,
      share: failed === 0 ? 0 : failure.count / failed,
      perSecond,
      more,
      trend: more === null ? null : trendOf(perSecond, earlier(processes, changes, failure.count - more)),
      advice: adviceFor(failure.reason as Reason, failure.receiver as Receiver | null),
    }
  })
}

/** Messages a second before the last look, from the start of the processes on. */
function earlier(processes: readonly Process[], changes: readonly Change[], count: number): number {
  const ages = processes.map(({ uptimeMs }, at) => (uptimeMs ?? 0) - (changes[at]?.overMs ?? 0))
  return (count * 1000) / Math.max(1000, ...ages)
}

function trendOf(now: number, before: number): Why['trend'] {
  if (now > before * STEADY) return 'rising'
  return now < before / STEADY ? 'falling' : 'steady'
}

function sum<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((total, item) => total + value(item), 0)
}
