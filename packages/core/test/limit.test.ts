import { test } from 'tap'
import { DEFAULT_MAX_SEND_BUFFER_SIZE, refusal } from '../src/limit.ts'

test('the default limit is 1048576 bytes', async (t) => {
  t.equal(DEFAULT_MAX_SEND_BUFFER_SIZE, 1_048_576)
})

test('lenient: only what is already held counts', async (t) => {
  t.equal(refusal(0, 1, 1000, false), null)
  t.equal(refusal(0, 5_000_000, 1000, false), null, 'an empty buffer takes a message of any size')
  t.equal(refusal(999, 5_000_000, 1000, false), null, 'one byte below the limit')
  t.equal(refusal(1000, 1, 1000, false), 'buffer_full', 'at the limit')
  t.equal(refusal(1000, 0, 1000, false), 'buffer_full', 'even a message of no bytes')
  t.equal(refusal(1001, 1, 1000, false), 'buffer_full', 'above the limit')
})

test('strict: the message counts too', async (t) => {
  t.equal(refusal(0, 1000, 1000, true), null, 'exactly the limit')
  t.equal(refusal(400, 600, 1000, true), null, 'exactly full')
  t.equal(refusal(400, 601, 1000, true), 'buffer_full', 'one byte too many')
  t.equal(refusal(1000, 0, 1000, true), null, 'a message of no bytes always fits')
  t.equal(refusal(0, 1001, 1000, true), 'too_large')
  t.equal(refusal(1000, 1001, 1000, true), 'too_large', 'also when the buffer is full: it would never fit')
})

test('Infinity never refuses', async (t) => {
  for (const strict of [true, false]) t.equal(refusal(1e15, 1e15, Number.POSITIVE_INFINITY, strict), null)
})
