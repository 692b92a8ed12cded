import type { FailureCount, Outcomes, Reason, Receiver, SocketStatus, Stage } from '@sendfail/core'
import t from 'tap'
import { missing, wrong } from '../src/outcomes.ts'
import { BEHAVIOURS, type Behaviour, type Over } from '../src/plan.ts'
import type { Account } from '../src/sums.ts'

type Kind = [reason: Reason, stage: Stage, receiver: Receiver | null]

const RIGHT: Record<Behaviour, Kind[]> = {
  healthy: [],
  closes: [['client_closed', 'refused', null]],
  resets: [
    ['client_closed', 'refused', null],
    ['client_closed', 'lost', null],
  ],
  stops: [['buffer_full', 'refused', 'stalled']],
  slow: [['buffer_full', 'refused', 'slow']],
  burst: [['buffer_full', 'refused', 'burst']],
}

function account(over: Over, behaviour: Behaviour, kinds: Kind[]): Account {
  const failures = kinds.map(([reason, stage, receiver]): FailureCount => {
    return { reason, stage, receiver, count: 1, bytes: 1 }
  })
  const status: Pick<Outcomes, 'failures'> = { failures }
  return { behaviour, over, produced: { messages: 0, bytes: 0 }, status: status as SocketStatus }
}

/** All twelve clients as they should be, but for one. */
function accounts(changed?: Behaviour, kinds: Kind[] = []): Account[] {
  return (['tcp', 'ws'] as const).flatMap((over) =>
    BEHAVIOURS.map((behaviour) =>
      account(over, behaviour, over === 'ws' && behaviour === changed ? kinds : RIGHT[behaviour]),
    ),
  )
}

t.test('clients that behave as planned', async (t) => {
  t.same(missing(accounts()), [])
  t.same(wrong(accounts()), [])
})

for (const behaviour of BEHAVIOURS.filter((one) => one !== 'healthy')) {
  t.test(`a client that ${behaviour} and was not recognised is named`, async (t) => {
    const found = missing(accounts(behaviour))
    t.equal(found.length, RIGHT[behaviour].length)
    t.match(found[0], /^ws [a-z]+: [a-z_ ]+ was not seen$/)
  })
}

t.test('a client that never came is named', async (t) => {
  const found = missing(accounts().filter(({ behaviour }) => behaviour !== 'healthy'))
  t.same(found, ['tcp healthy: it never connected', 'ws healthy: it never connected'])
})

t.test('a wrong verdict is named', async (t) => {
  const stalled: Kind = ['buffer_full', 'refused', 'stalled']
  const found = wrong(accounts('slow', [...RIGHT.slow, stalled]))
  t.same(found, ['ws slow: buffer_full refused stalled is a wrong verdict'])
  t.same(wrong(accounts('healthy', [stalled])), [
    'ws healthy: buffer_full refused stalled is a wrong verdict',
  ])
})
