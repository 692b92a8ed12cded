import { test } from 'tap'
import { FAILURE_KINDS, failurePlace, RECEIVERS } from '../src/reason.ts'

test('the kinds of failure are this closed list in this order', async (t) => {
  t.strictSame(
    FAILURE_KINDS.map(({ reason, receiver, stage }) => [stage, reason, receiver].filter(Boolean).join(' ')),
    [
      'refused buffer_full stalled',
      'refused buffer_full slow',
      'refused buffer_full burst',
      'refused client_closed',
      'refused server_closed',
      'refused timed_out',
      'refused _OTHER',
      'refused too_large',
      'lost buffer_full stalled',
      'lost buffer_full slow',
      'lost buffer_full burst',
      'lost client_closed',
      'lost server_closed',
      'lost timed_out',
      'lost _OTHER',
    ],
  )
})

test('the lists are frozen, and so is every kind in them', async (t) => {
  for (const item of [FAILURE_KINDS, RECEIVERS, ...FAILURE_KINDS]) t.ok(Object.isFrozen(item))
})

test('failurePlace gives the place of each kind', async (t) => {
  t.strictSame(
    FAILURE_KINDS.map(({ reason, receiver, stage }) => failurePlace(reason, stage, receiver)),
    FAILURE_KINDS.map((_kind, place) => place),
  )
})

test('a receiver is given with buffer_full, and with nothing else', async (t) => {
  for (const { reason, receiver } of FAILURE_KINDS)
    t.equal(receiver !== null, reason === 'buffer_full', `${reason} ${receiver}`)
})
