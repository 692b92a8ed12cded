import { test } from 'tap'
import type { Transport } from '../src/transport.ts'
import { Waiting } from '../src/waiting.ts'

/** What a transport would answer, set by hand. */
function waitingOn(answers: { held: number; dispatched: number; unsent: number; progress: number }) {
  const transport = {
    buffered: () => answers.held,
    dispatchedBytes: () => answers.dispatched,
    unsentBytes: () => answers.unsent,
    progress: () => answers.progress,
    settlesByAmount: false,
  } as unknown as Transport<object>
  return new Waiting({}, transport)
}
const NOTHING = { held: 0, dispatched: 0, unsent: 0, progress: 0 }

test('messages with a completion leave one for each completion', async (t) => {
  const waiting = waitingOn({ ...NOTHING, held: 30 })
  waiting.push(10, 10)
  waiting.push(20, 20)
  t.equal(waiting.left(), 0, 'the stream alone shows nothing')
  t.equal(waiting.leftByCompletion(), 1)
  t.equal(waiting.shift(), 10)
  t.equal(waiting.leftByCompletion(), 1)
  t.equal(waiting.shift(), 20)
})

test('a silent head leaves with the completion of the message behind it', async (t) => {
  const answers = { ...NOTHING, held: 30 }
  const waiting = waitingOn(answers)
  waiting.pushHead(10, 10)
  waiting.push(20, 20)
  t.equal(waiting.leftByCompletion(), 2)
})

test('a silent head leaves when the stream holds less than when the last message was added', async (t) => {
  const answers = { ...NOTHING, held: 10 }
  const waiting = waitingOn(answers)
  waiting.pushHead(10, 10)
  answers.held = 30
  waiting.push(20, 20)
  t.equal(waiting.left(), 0)
  t.equal(waiting.left(), 0, 'asked twice')
  answers.held = 20
  t.equal(waiting.left(), 1)
  waiting.shift()
  t.equal(waiting.left(), 0, 'the one behind it has its own completion')
  t.equal(waiting.leftByCompletion(), 1)
})

test('everything has left when the stream is empty, and completions that come later count nothing', async (t) => {
  const answers = { ...NOTHING, held: 60 }
  const waiting = waitingOn(answers)
  waiting.pushHead(10, 10)
  waiting.push(20, 20)
  waiting.push(30, 30)
  answers.held = 0
  t.equal(waiting.left(), 3)
  for (const bytes of [10, 20, 30]) t.equal(waiting.shift(), bytes)
  answers.held = 40
  waiting.push(40, 40)
  t.equal(waiting.leftByCompletion(), 0, 'of the second')
  t.equal(waiting.leftByCompletion(), 0, 'of the third')
  t.equal(waiting.leftByCompletion(), 1, 'of the new one')
})

test('the last message of end() has no completion that could come later', async (t) => {
  const answers = { ...NOTHING, held: 30 }
  const waiting = waitingOn(answers)
  waiting.push(10, 10)
  waiting.pushTail(20, 20)
  answers.held = 0
  t.equal(waiting.left(), 2)
  for (const bytes of [10, 20]) t.equal(waiting.shift(), bytes)
  t.equal(waiting.leftByCompletion(), 0, 'of the first')
  t.equal(waiting.leftByCompletion(), 1, 'of nothing that was known')
})

test('settlesByAmount: messages leave as the amount falls', async (t) => {
  let held = 30
  const transport = { buffered: () => held, settlesByAmount: true } as unknown as Transport<object>
  const waiting = new Waiting({}, transport)
  waiting.push(10, 10)
  waiting.push(20, 20)
  t.equal(waiting.left(), 0)
  held = 21
  t.equal(waiting.left(), 0)
  held = 20
  t.equal(waiting.left(), 1)
  held = 0
  t.equal(waiting.left(), 2)
})

test('at the end what is not unsent has left', async (t) => {
  const waiting = waitingOn({ ...NOTHING, held: 30, unsent: 20 })
  waiting.push(10, 10)
  waiting.push(20, 20)
  t.equal(waiting.leftAtEnd(false), 1)
})

test('after a write that failed only a silent head can have left: if more was dispatched than it', async (t) => {
  const answers = { ...NOTHING, held: 10, dispatched: 10 }
  const waiting = waitingOn(answers)
  waiting.pushHead(10, 10)
  t.equal(waiting.leftAtEnd(true), 0, 'nobody asked while the head was alone')
  waiting.left()
  t.equal(waiting.leftAtEnd(true), 0, 'nothing was dispatched since')
  answers.dispatched = 30
  t.equal(waiting.leftAtEnd(true), 1)
  waiting.shift()
  waiting.push(20, 20)
  t.equal(waiting.leftAtEnd(true), 0, 'no silent head')
})

test('progress counts from when the backlog began until a byte is seen leaving', async (t) => {
  const answers = { ...NOTHING, held: 10, progress: 5 }
  const waiting = waitingOn(answers)
  waiting.begin(100, 0, 0)
  waiting.push(10, 10)
  t.equal(waiting.sinceMs, 100)
  t.equal(waiting.progressAt(200), 100, 'the first look has nothing to compare with')
  t.equal(waiting.progressAt(300), 100)
  answers.progress = 6
  t.equal(waiting.progressAt(400), 400)
  t.equal(waiting.progressAt(500), 400)
})

test('a message that was taken out is progress', async (t) => {
  const waiting = waitingOn({ ...NOTHING, held: 20 })
  waiting.begin(100, 0, 0)
  waiting.push(10, 10)
  waiting.push(10, 10)
  waiting.shift()
  t.equal(waiting.progressAt(300), 300)
  t.equal(waiting.progressAt(400), 300)
})

test('a backlog that begins again sooner than the last one had lasted is the same one', async (t) => {
  const waiting = waitingOn({ ...NOTHING, held: 20 })
  waiting.begin(100, 0, 0)
  t.equal(waiting.sinceMs, 100)
  waiting.progressAt(600)
  waiting.begin(1099, 0, 0)
  t.equal(waiting.sinceMs, 100, '499 ms after it was last seen, having lasted 500')
  t.equal(waiting.progressAt(1100), 1099, 'but its progress begins anew')
})

test('a backlog that begins as long after the last one as that had lasted is a new one', async (t) => {
  const waiting = waitingOn({ ...NOTHING, held: 20 })
  waiting.begin(100, 0, 0)
  waiting.progressAt(600)
  waiting.begin(1100, 0, 0)
  t.equal(waiting.sinceMs, 1100)
  waiting.begin(1101, 0, 0)
  t.equal(waiting.sinceMs, 1101, 'one that was never seen to last is over at once')
})
