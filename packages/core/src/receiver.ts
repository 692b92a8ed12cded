import type { ReceiverState } from './reason.ts'

/** What is known of a backlog, all in milliseconds on one monotonic clock. */
export interface BacklogTimes {
  /** Since when there is a backlog. */
  readonly sinceMs: number
  /** When a byte was last seen leaving; at first, when the backlog began. */
  readonly progressMs: number
}

/** The two thresholds of {@link receiverState}, in milliseconds. */
export interface ReceiverThresholds {
  readonly slowAfterMs: number
  readonly stallAfterMs: number
}

/**
 * What the receiver of a backlogged connection is doing. Stalled comes first: a receiver that takes nothing at all is
 * not slow, however the two thresholds are set.
 */
export function receiverState(
  times: BacklogTimes,
  nowMs: number,
  thresholds: ReceiverThresholds,
): ReceiverState {
  if (nowMs - times.progressMs >= thresholds.stallAfterMs) return 'stalled'
  return nowMs - times.sinceMs >= thresholds.slowAfterMs ? 'slow' : 'burst'
}
