import { test } from 'tap'
import { receiverState } from '../src/receiver.ts'

const thresholds = { slowAfterMs: 5000, stallAfterMs: 30_000 }

test('a backlog younger than slowAfterMs is a burst, from then on slow', async (t) => {
  t.equal(receiverState({ sinceMs: 0, progressMs: 0 }, 0, thresholds), 'burst')
  t.equal(receiverState({ sinceMs: 0, progressMs: 0 }, 4999, thresholds), 'burst')
  t.equal(receiverState({ sinceMs: 0, progressMs: 0 }, 5000, thresholds), 'slow')
})

test('no byte for stallAfterMs is stalled, a byte makes it slow again', async (t) => {
  t.equal(receiverState({ sinceMs: 0, progressMs: 0 }, 29_999, thresholds), 'slow')
  t.equal(receiverState({ sinceMs: 0, progressMs: 0 }, 30_000, thresholds), 'stalled')
  t.equal(receiverState({ sinceMs: 0, progressMs: 29_999 }, 30_000, thresholds), 'slow')
})

test('stalled comes before slow when stallAfterMs is the shorter', async (t) => {
  const short = { slowAfterMs: 5000, stallAfterMs: 100 }
  t.equal(receiverState({ sinceMs: 0, progressMs: 0 }, 100, short), 'stalled')
  t.equal(receiverState({ sinceMs: 0, progressMs: 99 }, 100, short), 'burst')
})

test('thresholds of Infinity are never reached', async (t) => {
  const never = { slowAfterMs: Number.POSITIVE_INFINITY, stallAfterMs: Number.POSITIVE_INFINITY }
  t.equal(receiverState({ sinceMs: 0, progressMs: 0 }, 1e15, never), 'burst')
})
