import type { Outcomes, Snapshot, SocketStatus } from '@sendfail/core'
import { type Behaviour, nameOf, type Over } from './plan.ts'
import { keyOf, type Point, pointsOf } from './points.ts'

/** One client: what the program counted, and what the library did. */
export interface Account {
  readonly behaviour: Behaviour
  readonly over: Over
  /** Counted by the program that sends, before each send. */
  readonly produced: { readonly messages: number; readonly bytes: number }
  readonly status: SocketStatus
}

/** Everything that was counted, at one moment. */
export interface Books {
  readonly accounts: readonly Account[]
  readonly snapshot: Snapshot
  /** What the OpenTelemetry reader exported at that moment; `null` when it was not asked. */
  readonly exported: readonly Point[] | null
}

/** The package that counts for a transport; its OpenTelemetry meter. */
export const METERS: Readonly<Record<Over, string>> = { tcp: '@sendfail/net', ws: '@sendfail/ws' }

const FIGURES = [
  'attempted',
  'sent',
  'failed',
  'pending',
  'attemptedBytes',
  'sentBytes',
  'failedBytes',
  'pendingBytes',
] as const

/**
 * Do the figures add up? Attempted = sent + failed + pending, in messages and in bytes, for each client, transport and
 * the process; every sum is the sum of its parts; and the program and OpenTelemetry count the same.
 *
 * @returns a sentence for each figure that does not; empty when all do
 */
export function sumsUp({ accounts, exported, snapshot }: Books): string[] {
  const series = snapshot.series.map((one) => ({
    name: one.meter,
    one,
    parts: accounts.filter(({ over }) => METERS[over] === one.meter).map(({ status }) => status),
  }))
  return [
    ...accounts.flatMap((account) => [...law(nameOf(account), account.status), ...counted(account)]),
    ...series.flatMap(({ name, one, parts }) => [...law(name, one), ...total(name, one, parts)]),
    ...law('the process', snapshot),
    ...total('the process', snapshot, snapshot.series),
    ...(exported === null ? [] : same(pointsOf(snapshot), exported)),
  ]
}

function law(name: string, outcomes: Outcomes): string[] {
  const { attempted, attemptedBytes, failed, failedBytes, pending, pendingBytes, sent, sentBytes } = outcomes
  const failures = outcomes.failures.reduce((sum, { count }) => sum + count, 0)
  const failuresBytes = outcomes.failures.reduce((sum, { bytes }) => sum + bytes, 0)
  return [
    ...equal(`${name}: attempted messages`, attempted, sent + failed + pending),
    ...equal(`${name}: attempted bytes`, attemptedBytes, sentBytes + failedBytes + pendingBytes),
    ...equal(`${name}: failed messages by reason`, failures, failed),
    ...equal(`${name}: failed bytes by reason`, failuresBytes, failedBytes),
  ]
}

function counted(account: Account): string[] {
  const { produced, status } = account
  const name = nameOf(account)
  return [
    ...equal(`${name}: messages the program sent`, produced.messages, status.attempted),
    ...equal(`${name}: bytes the program sent`, produced.bytes, status.attemptedBytes),
  ]
}

function total(name: string, whole: Outcomes, parts: readonly Outcomes[]): string[] {
  return FIGURES.flatMap((figure) => {
    const sum = parts.reduce((total, part) => total + part[figure], 0)
    return equal(`${name}: ${figure}`, whole[figure], sum)
  })
}

function same(expected: readonly Point[], exported: readonly Point[]): string[] {
  const values = new Map(exported.map((point) => [keyOf(point), point.value]))
  const wanted = new Map(expected.map((point) => [keyOf(point), point.value]))
  const keys = new Set([...values.keys(), ...wanted.keys()])
  return [...keys].flatMap((key) =>
    equal(`exported by OpenTelemetry: ${key}`, values.get(key) ?? 0, wanted.get(key) ?? 0),
  )
}

function equal(what: string, found: number, expected: number): string[] {
  return found === expected ? [] : [`${what}: ${found}, but it should be ${expected}`]
}
