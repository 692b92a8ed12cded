import { AsyncResource } from 'node:async_hooks'
import { DEFAULT_MAX_SEND_BUFFER_SIZE } from './limit.ts'
import type { ReceiverState } from './reason.ts'
import { Series, type SeriesKey } from './series.ts'
import type { Watcher } from './watcher.ts'

/** A backlogged connection, as the sweep sees it. */
export interface Followed {
  /** How often to look, in milliseconds. */
  readonly tickMs: number
  /** Is it in the list? Kept here because a lookup for each message would cost more. */
  followed: boolean
  readonly series: Series
  /** What its receiver is doing now. */
  state(nowMs: number): ReceiverState
  /** Looks once; `false` when there is nothing left to follow. */
  sweep(nowMs: number): boolean
}

const KEY = Symbol.for('sendfail.registry.v1')

/**
 * What all copies of the library in one process share: the counters, the backlogged connections and the one timer that
 * visits them. The copy that was loaded first makes it.
 */
export class Registry {
  /** The limit of sockets that are wrapped without one, in bytes. */
  defaultLimitBytes: number = DEFAULT_MAX_SEND_BUFFER_SIZE
  readonly series: Map<string, Series> = new Map()
  /** Connections that had a backlog when they were last looked at. A healthy socket is never in here. */
  readonly backlogged: Set<Followed> = new Set()
  /** Called when a socket is wrapped and when a send fails: chances for an exporter to find its provider. */
  readonly wakers: Set<() => void> = new Set()
  /** Hears of every connection, while somebody publishes them. */
  watcher: Watcher | null = null
  /** Milliseconds on a monotonic clock; tests put their own in. */
  now: () => number = () => performance.now()
  #timer: NodeJS.Timeout | null = null
  #dueMs = 0
  /** The timer runs in a context of its own: it must not keep, or show to handlers, that of the send that started it. */
  readonly #context = new AsyncResource('SENDFAIL')

  seriesOf(key: SeriesKey): Series {
    const name = `${key.meter} ${key.transport} ${key.protocol}`
    let series = this.series.get(name)
    if (series === undefined) {
      series = new Series(key)
      this.series.set(name, series)
    }
    return series
  }

  wake(): void {
    for (const waker of this.wakers) waker()
  }

  follow(guard: Followed): void {
    guard.followed = true
    this.backlogged.add(guard)
    this.#schedule(guard.tickMs)
  }

  unfollow(guard: Followed): void {
    guard.followed = false
    this.backlogged.delete(guard)
  }

  /** Visits every backlogged connection once. Called by the timer; a reader of the counters may call it any time. */
  sweep(): void {
    const nowMs = this.now()
    for (const guard of this.backlogged) if (!guard.sweep(nowMs)) this.unfollow(guard)
  }

  #schedule(tickMs: number): void {
    const dueMs = performance.now() + tickMs
    if (this.#timer !== null && dueMs >= this.#dueMs) return
    if (this.#timer !== null) clearTimeout(this.#timer)
    this.#dueMs = dueMs
    this.#timer = this.#context.runInAsyncScope(() => setTimeout(() => this.#tick(), tickMs).unref())
  }

  #tick(): void {
    this.#timer = null
    this.sweep()
    let tickMs = Number.POSITIVE_INFINITY
    for (const guard of this.backlogged) tickMs = Math.min(tickMs, guard.tickMs)
    if (tickMs !== Number.POSITIVE_INFINITY) this.#schedule(tickMs)
  }
}

function shared(): Registry {
  const holder = globalThis as { [KEY]?: Registry }
  if (holder[KEY] === undefined) Object.defineProperty(holder, KEY, { value: new Registry() })
  return holder[KEY] as Registry
}

export const registry: Registry = shared()
