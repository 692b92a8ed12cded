import { SendFailError } from '@sendfail/core'
import { has } from '../subject.ts'
import {
  books,
  delivered,
  drained,
  FLOOD,
  jam,
  jammed,
  LIMIT,
  message,
  open,
  Told,
  turns,
} from '../traffic.ts'
import type { Sentence } from './sentence.ts'

const EDGE = FLOOD.length

export const refusedInSilence: Sentence = {
  number: 3,
  sentence:
    "A send that finds the limit reached is refused: it never reaches the peer, nothing throws, no 'error' is emitted.",
  async run(t, subject) {
    const connection = await jammed(t, subject, { maxSendBufferSize: EDGE + 1 })
    const last = message(1, 1)
    connection.send(last)
    t.match(
      books(connection),
      { pending: 2, pendingBytes: EDGE + 1, failed: 0 },
      'one byte below is not full',
    )

    const held = connection.held()
    for (const refused of [message(2, 1), message(3, 100_000), Buffer.alloc(0), 'refused']) {
      t.doesNotThrow(() => connection.send(refused))
    }
    t.equal(connection.held(), held, 'the transport holds nothing more')
    const full = { reason: 'buffer_full', stage: 'refused', receiver: 'burst', count: 4, bytes: 100_008 }
    t.strictSame(books(connection).failures, [full])
    t.match(books(connection), { attempted: 6, pending: 2, pendingBytes: EDGE + 1 })

    subject.guard(connection, { admission: 'strict', maxSendBufferSize: EDGE + 11 })
    connection.send(message(4, 11))
    t.equal(books(connection).failed, 5, 'strict admission counts the message too')
    const fits = message(5, 10)
    connection.send(fits)
    t.equal(books(connection).failed, 5)

    await drained(connection)
    const large = Buffer.alloc(EDGE + 12)
    connection.send(large)
    t.match(books(connection).failures[1], {
      reason: 'too_large',
      stage: 'refused',
      count: 1,
      bytes: large.length,
    })
    await delivered(t, subject, connection, [FLOOD, last, fits])
    t.strictSame(connection.errors, [])
  },
}

export const refusalIsTold: Sentence = {
  number: 4,
  sentence:
    "A refused send tells its caller so in the transport's own way, and its callback runs on a later tick.",
  async run(t, subject) {
    const connection = await jammed(t, subject, { maxSendBufferSize: LIMIT })
    const refused = message(1, 500)
    t.equal(connection.send(refused), subject.refused, 'what the call returns')
    t.equal(books(connection).failed, 1)
    if (!has(t, subject, 'callback')) return

    const told = new Told()
    t.equal(connection.send(refused, told.callback), subject.refused)
    t.equal(told.calls, 0, 'not within the call')
    await turns()
    t.equal(told.calls, 1)
    t.type(told.error, SendFailError)
    const facts = { bytes: 500, pendingBytes: FLOOD.length, limitBytes: LIMIT }
    const reason = { code: 'ERR_SEND_FAIL', reason: 'buffer_full', stage: 'refused', receiver: 'burst' }
    t.match(told.error, { ...reason, ...facts })
  },
}

export const drainIsTold: Sentence = {
  number: 5,
  sentence: 'After the buffer was full and is empty again the caller is told, once.',
  async run(t, subject) {
    const told: string[] = []
    const connection = await open(t, subject, {
      maxSendBufferSize: LIMIT,
      onBufferFull: () => told.push(connection.held() > 0 ? 'full' : 'full, but nothing is held'),
      onBufferDrain: () => told.push(connection.held() === 0 ? 'empty' : 'empty, but bytes are held'),
    })
    for (const round of [1, 2]) {
      await jam(t, connection)
      for (let index = 0; index < 3; index++) connection.send(message(index, 10))
      await turns()
      t.equal(told.length, 2 * round - 1, 'not while it is full')
      await drained(connection)
      await turns()
      t.strictSame(told, ['full', 'empty', 'full', 'empty'].slice(0, 2 * round))
      t.equal(books(connection).fullCount, round)
      if (has(t, subject, 'drainEvent'))
        t.equal(connection.drains(), round, "'drain' was emitted once a round")
    }
    connection.send(message(0, 10))
    await turns()
    t.equal(told.length, 4, 'nothing is told where nothing was full')
  },
}
