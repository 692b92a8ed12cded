import type { Test } from 'tap'
import { type Connection, has, type Subject } from '../subject.ts'
import { arrived, books, FLOOD, jammed, LIMIT, message, Told, until } from '../traffic.ts'
import type { Sentence } from './sentence.ts'

export const neverRefused: Sentence = {
  number: 10,
  sentence: 'Protocol frames (ping, pong, close) and the last message of `end` are never refused.',
  async run(t, subject) {
    if (has(t, subject, 'frames')) await framesPass(t, subject)
    if (has(t, subject, 'lastMessage')) await lastMessagePasses(t, subject)
  },
}

/** A connection that refuses whatever is sent. */
async function fullConnection(t: Test, subject: Subject): Promise<Connection> {
  const connection = await jammed(t, subject, { maxSendBufferSize: LIMIT })
  connection.send('refused')
  t.match(books(connection), { attempted: 2, pending: 1, failed: 1 }, 'it is full')
  return connection
}

async function framesPass(t: Test, subject: Subject): Promise<void> {
  const connection = await fullConnection(t, subject)
  const { frames, peer } = connection
  frames?.ping('beat')
  frames?.pong('unasked')
  peer.ping?.('asked')
  await until('the ping was answered', () => connection.held() > 0)
  peer.resume()
  const answered = () => peer.frames.includes('pong asked')
  await until('the frames arrived', answered)
  t.strictSame([...peer.frames].sort(), ['ping beat', 'pong asked', 'pong unasked'])
  t.match(books(connection), { attempted: 2, failed: 1 }, 'a frame is no message')

  const closing = await fullConnection(t, subject)
  closing.frames?.close()
  closing.peer.resume()
  await Promise.all([closing.closed, closing.peer.gone])
  t.strictSame(closing.peer.frames, ['close 1000'])
  t.equal(arrived(t, subject, closing, [FLOOD]), 1)
  t.match(books(closing), { attempted: 2, sent: 1, failed: 1, closedBy: 'server' })
}

async function lastMessagePasses(t: Test, subject: Subject): Promise<void> {
  const connection = await fullConnection(t, subject)
  const last = message(1, 300)
  const told = new Told()
  connection.sendLast?.(last, told.callback)
  t.match(books(connection), { attempted: 3, pending: 2, pendingBytes: FLOOD.length + 300, failed: 1 })
  connection.peer.resume()
  await connection.peer.gone
  t.equal(arrived(t, subject, connection, [FLOOD, last]), 2)
  await connection.closed
  t.match(books(connection), { sent: 2, pending: 0, failed: 1, closedBy: 'server' })
  t.match(told, { calls: 1, error: undefined })
}
