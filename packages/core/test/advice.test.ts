import { test } from 'tap'
import { adviceFor } from '../src/advice.ts'
import { FAILURE_KINDS } from '../src/reason.ts'

for (const [reason, receiver, words] of [
  ['client_closed', null, /normal.*unless it dominates/],
  ['server_closed', null, /find the code that sends after closing/],
  ['too_large', null, /raise the limit or split the message/],
  ['timed_out', null, /network path and keep-alive/],
  ['_OTHER', null, /read the cause/],
  ['buffer_full', 'stalled', /look at the client/],
  ['buffer_full', 'slow', /produce less.*speed the client up.*bandwidth/],
  ['buffer_full', 'burst', /raise the limit or spread the burst/],
] as const) {
  test(`the advice for ${reason}${receiver === null ? '' : `, receiver ${receiver},`} matches ${words}`, async (t) => {
    t.match(adviceFor(reason, receiver), words)
  })
}

test('every kind of failure has advice of one sentence or two', async (t) => {
  for (const { reason, receiver } of FAILURE_KINDS) t.match(adviceFor(reason, receiver), /^[A-Z].{20,}\.$/)
})

test('buffer_full without a receiver is a burst', async (t) => {
  t.equal(adviceFor('buffer_full'), adviceFor('buffer_full', 'burst'))
})

test('the receiver is ignored for every other reason', async (t) => {
  t.equal(adviceFor('client_closed', 'stalled'), adviceFor('client_closed'))
})
