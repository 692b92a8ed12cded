import { wrongType } from './errors.ts'
import type { Guard } from './guard.ts'
import { type Closer, FAILURE_KINDS, type FailureKind, type ReceiverState } from './reason.ts'
import { registry } from './registry.ts'
import type { NetworkTransport, ProtocolName, Series } from './series.ts'
import { guardOf } from './wrap.ts'

/** How often sends failed in one way, and the bytes of those messages. */
export interface FailureCount extends FailureKind {
  readonly count: number
  readonly bytes: number
}

/** Messages and their bytes by outcome: attempted = sent + failed + pending. */
export interface Outcomes {
  readonly attempted: number
  readonly sent: number
  readonly failed: number
  readonly pending: number
  readonly attemptedBytes: number
  readonly sentBytes: number
  readonly failedBytes: number
  readonly pendingBytes: number
  /** The ways sends failed, those that happened only. */
  readonly failures: readonly FailureCount[]
  /** How often the limit was reached. */
  readonly fullCount: number
  /** Messages that `onFull: 'observe'` let through above the limit. */
  readonly overLimit: number
}

/** One connection. */
export interface SocketStatus extends Outcomes {
  /** Its limit, in bytes. */
  readonly limitBytes: number
  /** What its receiver is doing now. */
  readonly receiver: ReceiverState
  /** Who closed first; `null` while it is open. */
  readonly closedBy: Closer | null
}

/** All connections of one kind in this process. */
export interface SeriesStatus extends Outcomes {
  /** The package that guards them; the name of their OpenTelemetry meter. */
  readonly meter: string
  readonly transport: NetworkTransport
  readonly protocol: ProtocolName
  /** Open connections by what their receiver is doing. */
  readonly connections: Readonly<Record<ReceiverState, number>>
  /** Sum of the finite limits of the open connections, in bytes. */
  readonly limitBytes: number
}

/** The whole process. */
export interface Snapshot extends Omit<SeriesStatus, 'meter' | 'transport' | 'protocol'> {
  readonly series: readonly SeriesStatus[]
}

/**
 * The books of one wrapped socket, also after it closed.
 *
 * @throws {TypeError} `ERR_SEND_FAIL_NOT_WRAPPED`
 */
export function socketStatus(socket: object): SocketStatus {
  const guard = guardOf(socket)
  if (guard === undefined) throw wrongType('ERR_SEND_FAIL_NOT_WRAPPED', 'socket', 'a wrapped socket', socket)
  return statusOf(guard)
}

/** The same for whoever holds the guard. */
export function statusOf(guard: Guard): SocketStatus {
  guard.settle()
  return {
    ...outcomes(guard, failuresIn(guard.failures)),
    limitBytes: guard.limitBytes,
    receiver: guard.state(),
    closedBy: guard.ended || guard.closedBy !== null ? guard.closer() : null,
  }
}

/** The books of the process: all sockets that were ever wrapped in it, by whichever copy of the library. */
export function snapshot(): Snapshot {
  registry.sweep()
  const states = new Map<Series, Record<ReceiverState, number>>()
  for (const series of registry.series.values()) {
    states.set(series, { ok: series.connections, burst: 0, slow: 0, stalled: 0 })
  }
  const nowMs = registry.now()
  for (const guard of registry.backlogged) {
    const state = guard.state(nowMs)
    const counts = states.get(guard.series) as Record<ReceiverState, number>
    counts.ok--
    counts[state]++
  }
  const series = [...states].map(([one, connections]) => seriesStatus(one, connections))
  return { ...sumOf(series), series }
}

function seriesStatus(series: Series, connections: Record<ReceiverState, number>): SeriesStatus {
  const { failed, failedBytes, limitBytes, meter, protocol, transport } = series
  const failures = failuresOf(
    (place) => failed[place] as number,
    (place) => failedBytes[place] as number,
  )
  const total = { failed: sum(failures, 'count'), failedBytes: sum(failures, 'bytes') }
  return {
    meter,
    transport,
    protocol,
    ...outcomes({ ...series, ...total }, failures),
    connections,
    limitBytes,
  }
}

function failuresOf(count: (place: number) => number, bytes: (place: number) => number): FailureCount[] {
  const failures = FAILURE_KINDS.map((kind, place) => ({ ...kind, count: count(place), bytes: bytes(place) }))
  return failures.filter((failure) => failure.count > 0)
}

/** What the failures of an account say: they outlive its socket. */
export function failuresIn(failures: Float64Array | null): FailureCount[] {
  if (failures === null) return []
  return failuresOf(
    (place) => failures[2 * place] as number,
    (place) => failures[2 * place + 1] as number,
  )
}

type Counters = Omit<Outcomes, 'attempted' | 'attemptedBytes' | 'failures'>

function outcomes(counters: Counters, failures: readonly FailureCount[]): Outcomes {
  const { failed, failedBytes, fullCount, overLimit, pending, pendingBytes, sent, sentBytes } = counters
  return {
    attempted: sent + failed + pending,
    sent,
    failed,
    pending,
    attemptedBytes: sentBytes + failedBytes + pendingBytes,
    sentBytes,
    failedBytes,
    pendingBytes,
    failures,
    fullCount,
    overLimit,
  }
}

function sum<K extends string>(items: readonly Record<K, number>[], key: K): number {
  return items.reduce((total, item) => total + item[key], 0)
}

function sumOf(series: readonly SeriesStatus[]): Omit<Snapshot, 'series'> {
  const failures = failuresOf(
    (place) =>
      sum(
        series.flatMap((one) => one.failures.filter((failure) => isKind(failure, place))),
        'count',
      ),
    (place) =>
      sum(
        series.flatMap((one) => one.failures.filter((failure) => isKind(failure, place))),
        'bytes',
      ),
  )
  const counters = {
    sent: sum(series, 'sent'),
    sentBytes: sum(series, 'sentBytes'),
    failed: sum(series, 'failed'),
    failedBytes: sum(series, 'failedBytes'),
    pending: sum(series, 'pending'),
    pendingBytes: sum(series, 'pendingBytes'),
    fullCount: sum(series, 'fullCount'),
    overLimit: sum(series, 'overLimit'),
  }
  const states = series.map((one) => one.connections)
  const connections = {
    ok: sum(states, 'ok'),
    burst: sum(states, 'burst'),
    slow: sum(states, 'slow'),
    stalled: sum(states, 'stalled'),
  }
  return { ...outcomes(counters, failures), connections, limitBytes: sum(series, 'limitBytes') }
}

function isKind(failure: FailureKind, place: number): boolean {
  const { reason, receiver, stage } = FAILURE_KINDS[place] as FailureKind
  return failure.reason === reason && failure.stage === stage && failure.receiver === receiver
}
