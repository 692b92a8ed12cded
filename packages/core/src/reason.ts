/**
 * The closed lists: why a send failed, at which stage, and what the receiver was doing. The same words are values of
 * OpenTelemetry attributes, columns of the status table and headings of the reference.
 */

/** Why a send failed. Doubles as the value of OpenTelemetry's `error.type`; `_OTHER` is its fallback value there. */
export type Reason = 'client_closed' | 'server_closed' | 'buffer_full' | 'too_large' | 'timed_out' | '_OTHER'

/** `refused`: never accepted. `lost`: accepted, then the connection ended before the message left this process. */
export type Stage = 'refused' | 'lost'

/** What a backlogged receiver was doing. Given with the reason `buffer_full`. */
export type Receiver = 'stalled' | 'slow' | 'burst'

/** What a connection looks like now: `ok` has no backlog. */
export type ReceiverState = 'ok' | Receiver

/** Who ended a connection. `client` is the peer and `server` this process, also on an outgoing connection. */
export type Closer = 'client' | 'server' | 'limit' | 'timeout' | 'error'

/** One way to fail. `receiver` is `null` unless the reason is `buffer_full`. */
export interface FailureKind {
  readonly reason: Reason
  readonly stage: Stage
  readonly receiver: Receiver | null
}

export const RECEIVERS: readonly Receiver[] = Object.freeze(['stalled', 'slow', 'burst'] as const)

const WITHOUT_RECEIVER: readonly Reason[] = ['client_closed', 'server_closed', 'timed_out', '_OTHER']

function kindsOf(stage: Stage): FailureKind[] {
  return [
    ...RECEIVERS.map((receiver): FailureKind => ({ reason: 'buffer_full', stage, receiver })),
    ...WITHOUT_RECEIVER.map((reason): FailureKind => ({ reason, stage, receiver: null })),
  ]
}

/**
 * Every way to fail, in a fixed order: counters are arrays with one place for each, so that counting allocates nothing
 * and every combination can be observed at zero from the start. A message that is too large is never accepted, so it
 * is never lost.
 */
export const FAILURE_KINDS: readonly FailureKind[] = Object.freeze(
  [
    ...kindsOf('refused'),
    { reason: 'too_large', stage: 'refused', receiver: null } as const,
    ...kindsOf('lost'),
  ].map((kind) => Object.freeze(kind)),
)

const PLACES = new Map(
  FAILURE_KINDS.map((kind, place) => [keyOf(kind.reason, kind.stage, kind.receiver), place]),
)

function keyOf(reason: Reason, stage: Stage, receiver: Receiver | null): string {
  return `${reason}/${stage}/${receiver}`
}

/** The place of one way to fail in {@link FAILURE_KINDS}. */
export function failurePlace(reason: Reason, stage: Stage, receiver: Receiver | null): number {
  return PLACES.get(keyOf(reason, stage, receiver)) as number
}
