import type { Test } from 'tap'
import { has, type Subject } from '../subject.ts'
import {
  books,
  delivered,
  drained,
  FLOOD,
  jam,
  LIMIT,
  message,
  open,
  Told,
  turns,
  until,
} from '../traffic.ts'
import type { Sentence } from './sentence.ts'

export const sentAtOnce: Sentence = {
  number: 1,
  sentence: 'A send that the operating system takes at once is counted sent when the call returns.',
  needs: 'atOnce',
  async run(t, subject) {
    const connection = await open(t, subject, { maxSendBufferSize: LIMIT })
    const messages = [1, 64, 1024, 16_384].map((bytes, index) => message(index, bytes))
    let bytes = 0
    for (const [index, one] of messages.entries()) {
      connection.send(index % 2 === 0 ? one : one.toString())
      bytes += one.length
      const { attempted, sent, sentBytes, pending, failed } = books(connection)
      t.equal(connection.held(), 0, 'the operating system has taken it')
      t.strictSame(
        { attempted, sent, sentBytes, pending, failed },
        { attempted: index + 1, sent: index + 1, sentBytes: bytes, pending: 0, failed: 0 },
      )
    }
    await delivered(t, subject, connection, messages)
  },
}

/** With a limit the waiting message is known to fill the buffer before it is sent; without one only afterwards. */
export const pendingThenSent: Sentence = {
  number: 2,
  sentence: 'A send that has to wait is pending until its last byte has left, and then sent.',
  async run(t, subject) {
    for (const maxSendBufferSize of [LIMIT, Number.POSITIVE_INFINITY]) {
      const connection = await open(t, subject, { maxSendBufferSize })
      await jam(t, connection)
      t.match(books(connection), { attempted: 1, sent: 0, pending: 1, pendingBytes: FLOOD.length, failed: 0 })

      connection.peer.resume()
      let looks = 0
      await until('the operating system has everything', () => {
        const { sent, pending } = books(connection)
        if (connection.held() > 0 && (sent !== 0 || pending !== 1))
          t.fail(`${sent} sent while bytes were held`)
        looks++
        return connection.held() === 0
      })
      t.ok(looks > 1, 'it was looked at while it drained')
      t.match(books(connection), { sent: 1, sentBytes: FLOOD.length, pending: 0, pendingBytes: 0, failed: 0 })
      await delivered(t, subject, connection, [FLOOD])
    }
    await sentBehind(t, subject)
    if (has(t, subject, 'callback')) await sentFromCallback(t, subject)
  },
}

/** Messages of all sizes behind one that waits, with a callback and without. */
async function sentBehind(t: Test, subject: Subject): Promise<void> {
  const connection = await open(t, subject, { maxSendBufferSize: Number.POSITIVE_INFINITY })
  await jam(t, connection)
  const told = new Told()
  const behind = [message(1, 300), Buffer.alloc(0), message(2, 70_000), Buffer.from('Grüße, 世界')]
  connection.send(behind[0] as Buffer)
  connection.send(behind[1] as Buffer)
  connection.send(behind[2] as Buffer, has(t, subject, 'callback') ? told.callback : undefined)
  connection.send(String(behind[3]))
  await turns()
  const bytes = behind.reduce((sum, one) => sum + one.length, FLOOD.length)
  t.match(books(connection), { attempted: 5, sent: 0, pending: 5, pendingBytes: bytes })
  t.equal(told.calls, 0)
  await drained(connection)
  t.match(books(connection), { sent: 5, sentBytes: bytes, failed: 0, receiver: 'ok' })
  const got = subject.framed ? [FLOOD, ...behind] : [FLOOD, ...behind.filter((one) => one.length > 0)]
  await delivered(t, subject, connection, got)
}

/** A message that is sent while completions of others, which have left by then, are still to be told. */
async function sentFromCallback(t: Test, subject: Subject): Promise<void> {
  const connection = await open(t, subject, { maxSendBufferSize: Number.POSITIVE_INFINITY })
  await jam(t, connection)
  const small = [1, 2, 3, 4].map((index) => message(index, 10))
  const told = new Told()
  connection.send(small[0] as Buffer, () => {
    books(connection) // to look takes off the books what has left
    connection.send(FLOOD)
    connection.peer.pause()
    told.callback()
  })
  for (const one of small.slice(1)) connection.send(one)
  connection.peer.resume()
  await until('the callback ran', () => told.calls > 0)
  await until('the kernel has taken what it can', () => connection.jammed())
  await turns()
  t.ok(connection.held() > 0)
  t.match(books(connection), { sent: 5, pending: 1, pendingBytes: FLOOD.length })
  await drained(connection)
  await delivered(t, subject, connection, [FLOOD, ...small, FLOOD])
  t.match(books(connection), { sent: 6, failed: 0 })
}
