import { test } from 'tap'
import { binaries, WITHOUT_UWS } from '../../../test/fixtures/uws.ts'
import { books, drained, FLOOD, failures, jammed, LIMIT, open, turns, until } from './fixtures/traffic.ts'

const skip = WITHOUT_UWS

test('what runs is the native binary', { skip }, async (t) => {
  t.match(binaries, [new RegExp(`uws_\\w+_${process.versions.modules}\\.node$`)])
})

test('send keeps its return codes: 1 sent, 0 waits, 2 refused', { skip }, async (t) => {
  const link = await open(t)
  t.equal(link.ws.send('to the kernel'), 1)
  link.peer.pause()
  t.equal(link.ws.send(FLOOD, true), 0)
  const held = link.ws.getBufferedAmount()
  t.equal(link.ws.send('refused'), 2)
  t.equal(link.ws.getBufferedAmount(), held, 'it did not reach uWS')
  t.match(books(link), { attempted: 3, sent: 1, pending: 1, failed: 1, fullCount: 1 })
  t.strictSame(failures(link), ['1 refused buffer_full 7'])
  await drained(link)
  t.equal(link.ws.send('again'), 1)
  await until(() => link.peer.received.length === 3)
  t.strictSame(
    link.peer.received.map(String).filter(({ length }) => length < 20),
    ['to the kernel', 'again'],
  )
})

test('text, ArrayBuffer, SharedArrayBuffer and every view are counted by their bytes', {
  skip,
}, async (t) => {
  const link = await open(t)
  const shared = new Uint8Array(new SharedArrayBuffer(5))
  const messages = [
    'Grüße',
    '\ud800',
    new ArrayBuffer(4),
    shared,
    shared.buffer,
    new Float64Array(2),
    undefined,
  ]
  for (const message of messages) t.equal(link.ws.send(message as string, true), 1)
  await until(() => link.peer.received.length === messages.length)
  t.match(books(link), { sent: 7, sentBytes: 7 + 3 + 4 + 5 + 5 + 16 })
  t.equal(link.peer.receivedBytes(), 40)
})

test('a message leaves the books when uWS has written its last byte', { skip }, async (t) => {
  const link = await jammed(t, { limit: Number.POSITIVE_INFINITY })
  for (const size of [0, 125, 126, 65_535, 65_536]) link.ws.send(Buffer.alloc(size), true)
  t.match(books(link), { pending: 6, sent: 0 })
  const held = FLOOD.length + 10 + 2 + 127 + 130 + 65_539 + 65_546
  t.ok(link.ws.getBufferedAmount() < held)
  await drained(link)
  t.match(books(link), { pending: 0, sent: 6, receiver: 'ok' })
  t.ok(link.drains() > 0)
})

test('a ping behind a backlog is sent, and no message', { skip }, async (t) => {
  const link = await jammed(t)
  t.equal(link.ws.ping('beat'), 0)
  t.match(books(link), { attempted: 1, pending: 1 })
  await drained(link)
  await until(() => link.peer.frames.includes('ping beat'))
})

test('what uWS drops by a lower limit of its own is counted as a full buffer', { skip }, async (t) => {
  const link = await jammed(t, { limit: 2 * FLOOD.length, behavior: { maxBackpressure: 1000 } })
  t.equal(link.ws.send('dropped by uWS'), 2)
  t.strictSame(failures(link), ['1 refused buffer_full 14'])
  t.match(books(link), { attempted: 2, pending: 1, fullCount: 1 })
  await drained(link)
  t.match(books(link), { sent: 1, failed: 1, closedBy: null })
})

test('uWS drops nothing first where the limit is ours, however small the messages', { skip }, async (t) => {
  const link = await open(t, { behavior: { maxBackpressure: undefined as never } })
  link.peer.pause()
  for (let still = 0; still < 5; still++) {
    while (link.ws.send(Buffer.alloc(4096), true) === 1) still = 0
    await turns() // the kernel moves what it has to the peer, and takes more for a while
  }
  const told: number[] = []
  while (told.at(-1) !== 2 && told.length < LIMIT) told.push(link.ws.send('1'))
  t.ok(told.length > LIMIT / 4)
  t.match(books(link), { failed: 1 })
  const bound = LIMIT + LIMIT / 8 + 16_384
  t.ok(link.ws.getBufferedAmount() >= bound, 'with the headers uWS holds more than the limit')
  t.ok(link.ws.getBufferedAmount() < bound + 3, 'and less than at which it drops messages itself')
})

test('frames of one message are accepted or refused together', { skip }, async (t) => {
  const link = await open(t)
  t.ok(link.ws.sendFirstFragment('one '))
  t.ok(link.ws.sendFragment('message '))
  t.ok(link.ws.sendLastFragment('in frames'))
  t.match(books(link), { attempted: 3, sent: 3, sentBytes: 21 })
  await until(() => String(link.peer.received[0]) === 'one message in frames')

  link.peer.pause()
  link.ws.sendFirstFragment('begun, ')
  link.ws.sendFragment(FLOOD)
  t.equal(books(link).fullCount, 1)
  t.not(link.ws.sendFragment('although it is full: '), 2)
  t.not(link.ws.sendLastFragment('finished'), 2)
  const refused = [
    link.ws.sendFirstFragment('x'),
    link.ws.sendFragment('yy'),
    link.ws.sendLastFragment('zzz'),
  ]
  t.strictSame(refused, [2, 2, 2])
  t.strictSame(failures(link), ['3 refused buffer_full 6'])
  await drained(link)
  t.ok(link.ws.sendFirstFragment('a'))
  t.ok(link.ws.sendLastFragment('b'))
  await until(() => link.peer.received.length === 3)
  t.match(String(link.peer.received[1]).replace(/x+/, '…'), /^begun, …although it is full: finished$/)
  t.equal(String(link.peer.received[2]), 'ab')
})

test('a compressed message is pending until nothing is held', { skip }, async (t) => {
  const link = await open(t, { limit: Number.POSITIVE_INFINITY }, 'uws+deflate')
  t.equal(link.ws.send('x'.repeat(10_000), false, true), 1)
  t.match(books(link), { sent: 1, sentBytes: 10_000 })
  link.peer.pause()
  link.ws.send(FLOOD, true)
  t.equal(link.ws.send('x'.repeat(10_000), false, true), 0)
  t.match(books(link), { pending: 2 })
  await drained(link)
  t.match(books(link), { sent: 3 })
  await turns()
})
