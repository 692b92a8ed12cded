import type { Channel } from 'node:diagnostics_channel'
import { Account } from './account.ts'
import type { ErrorFacts } from './closer.ts'
import { type FailureFacts, failureError, type SendFailError } from './errors.ts'
import { CHANNELS, callHandler } from './notice.ts'
import type { OnFull, Policy } from './options.ts'
import type { Reason, Receiver, Stage } from './reason.ts'
import { registry } from './registry.ts'
import type { Series } from './series.ts'

/** The callback of one send. */
export type SendCallback = (error?: Error | null) => void

/** An account that tells the user's handlers, and the diagnostics channels, what it books. */
export class ReportingAccount<S extends object = object> extends Account {
  readonly socket: S
  limitBytes: number
  policy: Policy
  onFull: OnFull
  /** The error that ended the connection. */
  cause: ErrorFacts | null = null
  /** Reached the limit and was not empty since. */
  full = false
  /** When it became full, in milliseconds of the registry's clock. */
  fullMs = 0
  fullCount = 0
  /** Messages `observe` let through above the limit. */
  overLimit = 0

  constructor(socket: S, series: Series, limitBytes: number, policy: Policy, onFull: OnFull) {
    super(series)
    this.socket = socket
    this.limitBytes = limitBytes
    this.policy = policy
    this.onFull = onFull
  }

  /** Counts a failure and tells of it. The error is made only if somebody receives it. */
  protected report(
    reason: Reason,
    stage: Stage,
    receiver: Receiver | null,
    bytes: number,
    wanted: boolean,
  ): SendFailError | null {
    const { limitBytes, pendingBytes, socket } = this
    this.fail(reason, stage, receiver, bytes)
    registry.wake()
    if (receiver === 'slow') registry.watcher?.slow(this)
    const { onSendFail } = this.policy
    if (!wanted && onSendFail === undefined && !CHANNELS.fail.hasSubscribers) return null
    const known = { reason, stage, receiver, bytes, pendingBytes, limitBytes }
    const facts: FailureFacts = this.cause === null ? known : { ...known, cause: this.cause }
    const failure = failureError(facts)
    if (CHANNELS.fail.hasSubscribers) CHANNELS.fail.publish({ ...facts, socket, failure })
    if (onSendFail !== undefined) callHandler('onSendFail', onSendFail, failure, socket)
    return failure
  }

  /** The limit is reached: told once until the buffer is empty again. */
  protected reachLimit(): void {
    if (this.full) return
    this.full = true
    this.fullMs = registry.now()
    this.fullCount++
    this.series.fullCount++
    registry.watcher?.full(this)
    this.#tell(CHANNELS.full, 'onBufferFull')
  }

  /** The buffer is empty after it was full. */
  protected drained(): void {
    this.full = false
    registry.watcher?.drained(this)
    this.#tell(CHANNELS.drain, 'onBufferDrain')
  }

  /** Adds the limit to the sum of the open connections, or takes it away; an infinite one has no place in a sum. */
  protected countLimit(sign: 1 | -1): void {
    if (Number.isFinite(this.limitBytes)) this.series.limitBytes += sign * this.limitBytes
  }

  #tell(channel: Channel, name: 'onBufferDrain' | 'onBufferFull'): void {
    const { socket, pendingBytes, limitBytes } = this
    if (channel.hasSubscribers) channel.publish({ socket, pendingBytes, limitBytes })
    const handler = this.policy[name]
    if (handler !== undefined) callHandler(name, handler, socket)
  }
}
