import type { Test } from 'tap'
import type { Connection, Subject } from '../subject.ts'
import { books, delivered, drained, FLOOD, jam, LIMIT, message, open, Told, turns } from '../traffic.ts'
import type { Sentence } from './sentence.ts'

/** What a call throws, as far as a caller could tell two errors apart. */
function thrownBy(call: () => unknown): unknown {
  try {
    call()
  } catch (error) {
    const { name, code, message } = error as NodeJS.ErrnoException
    return { name, code, message }
  }
  return 'nothing'
}

const STATES = {
  idle: async () => {},
  full: (t: Test, connection: Connection) => jam(t, connection),
  closed: async (_t: Test, connection: Connection, subject: Subject) => {
    subject.ends.find(({ by, abrupt }) => by === 'server' && abrupt)?.act(connection)
    await connection.closed
  },
} as const

export const throwsTheSame: Sentence = {
  number: 11,
  sentence:
    'A call that throws on the bare socket (a wrong type) throws the same on the guarded one and is not counted.',
  async run(t, subject) {
    for (const [state, enter] of Object.entries(STATES)) {
      const bare = await open(t, subject, null)
      const guarded = await open(t, subject, { maxSendBufferSize: LIMIT })
      for (const connection of [bare, guarded]) await enter(t, connection, subject)
      for (const { name, call } of subject.wrongCalls) {
        const before = books(guarded)
        const wanted = thrownBy(() => call(bare))
        const found = thrownBy(() => call(guarded))
        if (state === 'idle') t.not(wanted, 'nothing', `${name} throws on a bare socket`)
        t.strictSame(found, wanted, `${name}, ${state}`)
        if (wanted !== 'nothing') t.strictSame(books(guarded), before, `${name}, ${state}: not counted`)
      }
      for (const connection of [bare, guarded]) await connection.dispose()
    }
    const connection = await open(t, subject, { maxSendBufferSize: LIMIT })
    for (const { call } of subject.wrongCalls) thrownBy(() => call(connection))
    connection.send(message(1, 100))
    await delivered(t, subject, connection, [message(1, 100)])
    t.match(books(connection), { attempted: 1, sent: 1 }, 'a later message is sent and counted')
  },
}

export const callbacksRunOnce: Sentence = {
  number: 12,
  sentence: 'Every callback of the user runs exactly once.',
  needs: 'callback',
  async run(t, subject) {
    for (const way of subject.ends) {
      const connection = await open(t, subject, { maxSendBufferSize: LIMIT })
      const told: [string, Told][] = []
      const send = (what: string, data: Buffer | string) => {
        const one = new Told()
        told.push([what, one])
        connection.send(data, one.callback)
      }
      send('on an idle connection', message(0, 10))
      send('empty', '')
      await drained(connection)
      connection.peer.pause()
      send('too much for the kernel', FLOOD)
      send('refused', message(1, 10))
      send('empty and refused', Buffer.alloc(0))
      await turns()
      if (!way.abrupt) await drained(connection)
      subject.guard(connection, { maxSendBufferSize: 2 * FLOOD.length })
      send('waiting or not', message(2, 1000))
      send('behind it', message(3, 1000))
      const last = new Told()
      if (connection.sendLast !== undefined && way.name === 'end()') {
        connection.sendLast(message(4, 10), last.callback)
        told.push(['with the last message', last])
      } else way.act(connection)
      send('after the end', message(5, 10))
      await connection.closed
      send('after the close', message(6, 10))
      await turns(10)
      for (const [what, { calls }] of told) t.equal(calls, 1, `${way.name}: ${what}`)
    }
  },
}
