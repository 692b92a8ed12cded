import { FAILURE_KINDS, failurePlace, type Reason, type Receiver, type Stage } from './reason.ts'
import type { Series } from './series.ts'

/**
 * The books of one connection, and of its series with it. A message is in exactly one of three states, pending, sent or
 * failed, so that attempted = sent + failed + pending holds at every moment, in messages and in bytes. The four
 * movements below are the only ones.
 *
 *   attempt ──▶ sent                     sentAtOnce
 *      │
 *      ├─────▶ pending ──▶ sent          hold, then release
 *      │           └─────▶ failed        hold, then lose
 *      └─────▶ failed                    fail
 */
export class Account {
  readonly series: Series
  sent = 0
  sentBytes = 0
  pending = 0
  pendingBytes = 0
  failed = 0
  failedBytes = 0
  /** Two numbers for each of `FAILURE_KINDS`, messages and bytes; made at the first failure. */
  failures: Float64Array | null = null

  constructor(series: Series) {
    this.series = series
  }

  /** A message was handed to the operating system within the call. */
  sentAtOnce(bytes: number): void {
    this.sent++
    this.sentBytes += bytes
    this.series.sent++
    this.series.sentBytes += bytes
  }

  /** A message was accepted and waits. */
  protected hold(bytes: number): void {
    this.pending++
    this.pendingBytes += bytes
    this.series.pending++
    this.series.pendingBytes += bytes
  }

  /** A message that waited is no longer this account's to follow. */
  protected forget(messages: number, bytes: number): void {
    this.pending -= messages
    this.pendingBytes -= bytes
    this.series.pending -= messages
    this.series.pendingBytes -= bytes
  }

  /** A message that waited has left. */
  protected release(bytes: number): void {
    this.forget(1, bytes)
    this.sentAtOnce(bytes)
  }

  /** A message failed that was not pending. */
  protected fail(reason: Reason, stage: Stage, receiver: Receiver | null, bytes: number): void {
    const place = failurePlace(reason, stage, receiver)
    this.failures ??= new Float64Array(2 * FAILURE_KINDS.length)
    this.failures[2 * place] = (this.failures[2 * place] as number) + 1
    this.failures[2 * place + 1] = (this.failures[2 * place + 1] as number) + bytes
    this.failed++
    this.failedBytes += bytes
    const { failed, failedBytes } = this.series
    failed[place] = (failed[place] as number) + 1
    failedBytes[place] = (failedBytes[place] as number) + bytes
  }
}
