import { type FailureCount, failuresIn, type Guard, type Registry, type Watcher } from '@sendfail/core'
import { CLOSED_KEPT, type ClosedRow, type Moment, type SlowFacts } from './protocol.ts'

/** So many moments of a connection are kept. */
const MOMENTS_KEPT = 40
/** How often, in milliseconds, the rates of a slow connection are looked at when its sends fail. */
const SLOW_LOOK_MS = 250

/** What is known of a live connection beside its guard. */
export interface Live {
  readonly id: number
  readonly guard: Guard
  /** In milliseconds of the registry's clock. */
  readonly openedMs: number
  local: string | null
  foreign: string | null
  /** `null` as long as nothing happened. */
  moments: Moment[] | null
  forgotten: number
}

/** One that has closed. Its socket is not kept alive by it. */
export interface Closed {
  readonly row: ClosedRow
  readonly live: Omit<Live, 'guard'>
  /** What failed, also after the end. */
  failures: Guard['failures']
  readonly onFull: string
  readonly policy: Guard['policy']
}

/** Every connection since the process began to publish: the live ones, and those that closed last. */
export class Connections implements Watcher {
  readonly live: Map<object, Live> = new Map()
  readonly closed: Closed[] = []
  /** The rates of the connection that was last found slow when a send failed. */
  lastSlow: SlowFacts | null = null
  readonly #registry: Registry
  readonly #closedOf: WeakMap<object, Closed> = new WeakMap()
  #nextId = 1
  #slowMs = Number.NEGATIVE_INFINITY

  constructor(registry: Registry) {
    this.#registry = registry
  }

  /** A time of the registry's clock, in milliseconds since 1970. */
  epochMs(registryMs: number): number {
    return Math.round(Date.now() - (this.#registry.now() - registryMs))
  }

  opened(connection: object): void {
    const guard = connection as Guard
    const openedMs = this.#registry.now()
    const id = this.#nextId++
    this.live.set(guard, { id, guard, openedMs, local: null, foreign: null, moments: null, forgotten: 0 })
    this.locate(guard)
  }

  full(connection: object): void {
    this.#note(connection, 'full')
  }

  drained(connection: object): void {
    this.#note(connection, 'drained')
  }

  slow(connection: object): void {
    const nowMs = this.#registry.now()
    if (nowMs - this.#slowMs < SLOW_LOOK_MS) return
    this.#slowMs = nowMs
    const backlog = (connection as Guard).backlogStatus(nowMs)
    if (backlog === null) return
    const { drainBytesPerSecond, productionBytesPerSecond } = backlog
    this.lastSlow = { connections: 0, productionBytesPerSecond, drainBytesPerSecond, atMs: Date.now() }
  }

  ended(connection: object): void {
    const guard = connection as Guard
    this.locate(guard)
    this.#note(guard, 'closed')
    const live = this.live.get(guard)
    if (live === undefined) return
    this.live.delete(guard)
    const { guard: _guard, ...facts } = live
    const { onFull, policy } = guard
    const closed = { row: this.#closedRow(live), live: facts, failures: guard.failures, onFull, policy }
    this.closed.push(closed)
    this.#closedOf.set(guard, closed)
    if (this.closed.length > 2 * CLOSED_KEPT) this.closed.splice(0, this.closed.length - CLOSED_KEPT)
  }

  late(connection: object): void {
    const closed = this.#closedOf.get(connection)
    if (closed !== undefined) closed.failures = (connection as Guard).failures // it is made at the first
  }

  forgotten(connection: object): void {
    this.live.delete(connection)
  }

  /** Asks for the two ends of a connection until they are known: those of one that connects are not at first. */
  locate(guard: Guard): Live | undefined {
    const live = this.live.get(guard)
    if (live === undefined || live.foreign !== null) return live
    const { foreign, local } = guard.transport.endpoints(guard.socket)
    live.local = local ?? live.local
    live.foreign = foreign
    return live
  }

  #note(connection: object, event: Moment['event']): void {
    const live = this.live.get(connection)
    if (live === undefined) return
    live.moments ??= []
    live.moments.push({ atMs: Date.now(), event, pendingBytes: (connection as Guard).pendingBytes })
    if (live.moments.length <= MOMENTS_KEPT) return
    live.moments.shift()
    live.forgotten++
  }

  #closedRow(live: Live): ClosedRow {
    const { guard } = live
    const { code } = (guard.cause ?? {}) as { code?: unknown }
    const lost = failuresIn(guard.failures).filter(({ stage }) => stage === 'lost')
    return {
      ...factsOf(live, this.epochMs(live.openedMs)),
      closedAtMs: Date.now(),
      closedBy: guard.closedBy ?? 'server',
      cause: typeof code === 'string' ? code.slice(0, 64) : null,
      lost: lost.reduce((sum, { count }) => sum + count, 0),
      lostBytes: lost.reduce((sum, { bytes }) => sum + bytes, 0),
    }
  }
}

const NONE: readonly FailureCount[] = []

type Facts = Omit<ClosedRow, 'cause' | 'closedAtMs' | 'closedBy' | 'lost' | 'lostBytes'>

/** What live and closed connections have in common. */
export function factsOf(live: Live, openedAtMs: number): Facts {
  const { guard, id, local, foreign } = live
  guard.settle()
  const { failed, failedBytes, fullCount, limitBytes, sent, sentBytes } = guard
  const receivedBytes = guard.transport.receivedBytes(guard.socket)
  return {
    id,
    meter: guard.series.meter,
    transport: guard.series.transport,
    protocol: guard.series.protocol,
    openedAtMs,
    local,
    foreign,
    sent,
    sentBytes,
    failed,
    failedBytes,
    receivedBytes: Number.isNaN(receivedBytes) ? null : receivedBytes,
    limitBytes: Number.isFinite(limitBytes) ? limitBytes : null,
    fullCount,
    failures: failed === 0 ? NONE : failuresIn(guard.failures),
  }
}
