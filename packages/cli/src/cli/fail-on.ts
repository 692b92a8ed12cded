import type { Process } from './processes.ts'
import { addUp } from './processes.ts'

/** A condition of `--fail-on`: a name, and the number from which on it is met. */
export interface Condition {
  readonly name: string
  readonly atLeast: number
}

/** A condition that cannot be read; the message says what it could be. */
export class ConditionError extends Error {
  readonly code = 'ERR_SEND_FAIL_CONDITION'
}

const REASONS = ['client_closed', 'server_closed', 'buffer_full', 'too_large', 'timed_out', '_OTHER'] as const
const RECEIVERS = ['burst', 'slow', 'stalled'] as const
/** Everything a condition can be about. */
const CONDITIONS: readonly string[] = [
  'send_fail',
  'lost',
  ...REASONS,
  ...RECEIVERS,
  'backlogged',
  'pending_bytes',
  'silent',
]

/**
 * Reads `stalled=1`.
 *
 * @throws {ConditionError}
 */
export function conditionOf(text: string): Condition {
  const [, name = '', digits = ''] = /^(\w+)=(\d+)$/.exec(text.trim()) ?? []
  const atLeast = Number(digits)
  if (CONDITIONS.includes(name) && atLeast >= 1) return { name, atLeast }
  throw new ConditionError(
    `a condition is <name>=<number of at least 1>, such as stalled=1; got ${text}. Names: ${CONDITIONS.join(', ')}`,
  )
}

/** Those conditions that are met, each with the number that it is now. */
export function metOf(
  conditions: readonly Condition[],
  processes: readonly Process[],
): (Condition & { readonly is: number })[] {
  return conditions
    .map((condition) => ({ ...condition, is: numberOf(condition.name, processes) }))
    .filter(({ atLeast, is }) => is >= atLeast)
}

function numberOf(name: string, processes: readonly Process[]): number {
  const { connections, failed, failures, pendingBytes } = addUp(processes)
  const count = (matches: (failure: (typeof failures)[number]) => boolean) =>
    failures.filter(matches).reduce((sum, failure) => sum + failure.count, 0)
  if (name === 'send_fail') return failed
  if (name === 'lost') return count(({ stage }) => stage === 'lost')
  if (name === 'pending_bytes') return pendingBytes
  if (name === 'silent') return processes.filter(({ state }) => state !== 'ok').length
  if (name === 'backlogged') return connections.burst + connections.slow + connections.stalled
  if ((RECEIVERS as readonly string[]).includes(name)) return connections[name as (typeof RECEIVERS)[number]]
  return count(({ reason }) => reason === name)
}
