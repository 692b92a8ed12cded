import type { FailureKind } from '@sendfail/core'
import { BEHAVIOURS, type Behaviour } from './plan.ts'
import type { Account } from './sums.ts'

/** A way to fail, in words: `buffer_full refused stalled`. */
export function kindOf({ reason, receiver, stage }: FailureKind): string {
  return [reason, stage, receiver].filter((word) => word !== null).join(' ')
}

interface Outcome {
  /** Each of these has to be seen. */
  readonly must: readonly string[]
  /** These may be seen besides; any other would be a wrong verdict. */
  readonly may: readonly string[]
}

/**
 * What has to come out for each client. A verdict on a full buffer grows with the evidence: a client that stops reading
 * looks like a burst at first, then slow, until for long enough not one byte has left.
 */
const OUTCOMES: Readonly<Record<Behaviour, Outcome>> = {
  healthy: { must: [], may: [] },
  closes: { must: ['client_closed refused'], may: ['client_closed lost'] },
  resets: { must: ['client_closed refused', 'client_closed lost'], may: [] },
  stops: {
    must: ['buffer_full refused stalled'],
    may: ['buffer_full refused burst', 'buffer_full refused slow'],
  },
  slow: { must: ['buffer_full refused slow'], may: ['buffer_full refused burst'] },
  burst: { must: ['buffer_full refused burst'], may: [] },
}

/** What should have been seen and was not yet: a sentence for each. */
export function missing(clients: readonly Account[]): string[] {
  return (['tcp', 'ws'] as const).flatMap((over) =>
    BEHAVIOURS.flatMap((behaviour) => {
      const client = clients.find((one) => one.over === over && one.behaviour === behaviour)
      if (client === undefined) return [`${over} ${behaviour}: it never connected`]
      const seen = kindsOf(client)
      const unseen = OUTCOMES[behaviour].must.filter((kind) => !seen.includes(kind))
      return unseen.map((kind) => `${over} ${behaviour}: ${kind} was not seen`)
    }),
  )
}

/** What was seen and should not have been: a sentence for each. */
export function wrong(clients: readonly Account[]): string[] {
  return clients.flatMap((client) => {
    const { may, must } = OUTCOMES[client.behaviour]
    const surplus = kindsOf(client).filter((kind) => !must.includes(kind) && !may.includes(kind))
    return surplus.map((kind) => `${client.over} ${client.behaviour}: ${kind} is a wrong verdict`)
  })
}

function kindsOf({ status }: Account): string[] {
  return status.failures.map(kindOf)
}
