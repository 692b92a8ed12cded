import { test } from 'tap'
import { Backlog } from '../src/backlog.ts'

test('messages leave first in, first out, with their bytes', async (t) => {
  const backlog = new Backlog()
  backlog.push(1, 3)
  backlog.push(20, 24)
  t.strictSame([backlog.count, backlog.wireBytes], [2, 27])
  t.equal(backlog.shift(), 1)
  t.strictSame([backlog.count, backlog.wireBytes], [1, 24])
  t.equal(backlog.shift(), 20)
  t.strictSame([backlog.count, backlog.wireBytes], [0, 0])
  backlog.push(5, 5)
  t.equal(backlog.shift(), 5, 'it can be filled again')
})

test('the order holds over 10000 messages pushed and shifted in turns of 3000', async (t) => {
  const backlog = new Backlog()
  let pushed = 0
  let shifted = 0
  let wrong = 0
  while (shifted < 10_000) {
    for (let i = 0; i < 3000; i++) backlog.push(pushed, 2 * pushed++)
    for (let i = 0; i < 2500; i++) if (backlog.shift() !== shifted++) wrong++
  }
  t.equal(wrong, 0)
  t.equal(backlog.count, pushed - shifted)
  while (backlog.count > 0) if (backlog.shift() !== shifted++) wrong++
  t.equal(wrong, 0)
  t.equal(backlog.wireBytes, 0)
})

test('leftWhen counts the oldest messages that are not among the last bytes', async (t) => {
  const backlog = new Backlog()
  t.equal(backlog.leftWhen(100), 0, 'of none')
  for (const bytes of [10, 20, 30]) backlog.push(bytes, bytes)
  t.equal(backlog.leftWhen(0), 3)
  t.equal(backlog.leftWhen(1), 2, 'one byte of the last keeps it')
  t.equal(backlog.leftWhen(30), 2)
  t.equal(backlog.leftWhen(31), 1)
  t.equal(backlog.leftWhen(50), 1)
  t.equal(backlog.leftWhen(51), 0)
  t.equal(backlog.leftWhen(60), 0)
  t.equal(backlog.leftWhen(61), 0, 'bytes of others make the answer smaller')
  t.equal(backlog.leftWhen(Number.POSITIVE_INFINITY), 0)
  backlog.shift()
  t.equal(backlog.leftWhen(30), 1, 'also after some were taken out')
})

test('leftWhen goes by the length on the wire', async (t) => {
  const backlog = new Backlog()
  backlog.push(10, 14)
  backlog.push(10, 14)
  t.equal(backlog.leftWhen(14), 1)
  t.equal(backlog.leftWhen(15), 0)
})
