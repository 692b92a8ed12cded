import type { Test } from 'tap'
import { type Connection, type End, has, type Subject } from '../subject.ts'
import {
  arrived,
  books,
  delivered,
  FLOOD,
  jam,
  jammed,
  LIMIT,
  message,
  open,
  Told,
  turns,
  until,
} from '../traffic.ts'
import type { Sentence } from './sentence.ts'

const REASON = { client: 'client_closed', server: 'server_closed' } as const

/** Ends the connection; a peer's end counts from when this process has read it. */
async function end(connection: Connection, way: End): Promise<void> {
  way.act(connection)
  if (connection.isOpen()) await until(`${way.name} was seen`, () => !connection.isOpen())
}

/** Sends on a closed connection, where a transport may throw as it does without a guard. */
function sendClosed(t: Test, subject: Subject, connection: Connection, bytes: number): Told {
  const told = new Told()
  const send = () => connection.send(message(0, bytes), subject.lacks.callback ? undefined : told.callback)
  if (subject.throwsWhenClosed) t.throws(send)
  else t.equal(send(), subject.refused)
  t.equal(told.calls, 0, 'its callback runs on a later tick')
  return told
}

export const closedIsNotFull: Sentence = {
  number: 6,
  sentence: 'A send on a closed connection is refused with who closed first, never as full.',
  async run(t, subject) {
    for (const way of subject.ends) {
      for (const full of [false, true]) {
        const where = `${way.name}, ${full ? 'full' : 'idle'}`
        const connection = await open(t, subject, { maxSendBufferSize: LIMIT })
        if (full) await jam(t, connection)
        await end(connection, way)
        const told = [sendClosed(t, subject, connection, 10)]
        await turns()
        const errors = way.loud ? connection.errors.length : 0
        told.push(sendClosed(t, subject, connection, 1))
        await turns()
        const reason = REASON[way.by]
        const refused = books(connection).failures.filter(({ stage }) => stage === 'refused')
        t.strictSame(refused, [{ reason, stage: 'refused', receiver: null, count: 2, bytes: 11 }], where)
        t.equal(connection.errors.length, errors, `${where}: no 'error' because of it`)
        if (has(t, subject, 'callback')) {
          const wanted = { code: 'ERR_SEND_FAIL', reason, stage: 'refused' }
          for (const { calls, error } of told) t.match({ calls, error }, { calls: 1, error: wanted }, where)
        }
        const got = arrived(t, subject, connection, [FLOOD])
        t.equal(got, 0, `${where}: the peer received nothing of it`)
        await connection.dispose()
        t.equal(books(connection).closedBy, way.by, `${where}: the first cause stands`)
      }
    }
    const connection = await jammed(t, subject, { maxSendBufferSize: LIMIT, onFull: 'close' })
    connection.send(message(1, 10))
    await connection.closed
    const before = books(connection).failures
    t.match(before, [
      { reason: 'buffer_full', stage: 'refused' },
      { reason: 'buffer_full', stage: 'lost' },
    ])
    sendClosed(t, subject, connection, 10)
    const after = books(connection).failures
    t.strictSame(
      after.filter(({ reason }) => reason === 'buffer_full'),
      before,
      'never as full',
    )
    t.match(
      after.find(({ reason }) => reason === 'server_closed'),
      { stage: 'refused', count: 1 },
    )
  },
}

/** Ends of which only the first may be recorded. */
function twoEnds(subject: Subject): (readonly [End, End])[] {
  const named = (name: string) => subject.ends.find((one) => one.name === name)
  const ours = subject.ends.filter(({ by }) => by === 'server')
  const politely = ours.find(({ abrupt }) => !abrupt)
  const abruptly = ours.find(({ abrupt }) => abrupt)
  const pairs = [
    [named('the peer closes'), abruptly],
    [politely, named('the peer resets')],
    [politely, abruptly],
  ]
  const told = subject.lacks.afterEnd === undefined ? pairs : pairs.filter(([first]) => first?.abrupt)
  return told.filter((pair): pair is [End, End] => !pair.includes(undefined))
}

export const pendingIsLost: Sentence = {
  number: 7,
  sentence:
    'What is pending when the connection ends is lost with the first cause; what had left by then is sent.',
  async run(t, subject) {
    const abrupt = subject.ends.filter((way) => way.abrupt)
    for (const ways of [...abrupt.map((way) => [way] as const), ...twoEnds(subject)]) {
      const connection = await open(t, subject, { maxSendBufferSize: Number.POSITIVE_INFINITY })
      const first = message(0, 2000)
      connection.send(first)
      await delivered(t, subject, connection, [first])
      await jam(t, connection)
      const behind = [message(1, 10), message(2, 100_000)]
      for (const one of behind) connection.send(one)
      t.match(books(connection), { sent: 1, pending: 3 })

      for (const way of ways) await end(connection, way)
      await connection.closed
      const where = ways.map(({ name }) => name).join(', then ')
      const reason = REASON[ways[0].by]
      const lost = { reason, stage: 'lost', receiver: null, count: 3, bytes: FLOOD.length + 100_010 }
      t.strictSame(books(connection).failures, [lost], where)
      t.match(books(connection), { sent: 1, sentBytes: 2000, pending: 0, closedBy: ways[0].by }, where)
      connection.peer.resume()
      await connection.peer.gone
      t.equal(arrived(t, subject, connection, [first, FLOOD]), 1, `${where}: the peer never had it all`)
    }
    await destroyedBetween(t, subject)
  },
}

/** Some of what was sent has left and some has not, and the peer reads all that left: it knows how much that was. */
async function destroyedBetween(t: Test, subject: Subject): Promise<void> {
  const connection = await open(t, subject, { maxSendBufferSize: Number.POSITIVE_INFINITY })
  connection.peer.pause()
  const sizes = [...Array<number>(20).fill(4096), ...Array<number>(60).fill(400_000)]
  const messages = sizes.map((bytes, index) => message(index, bytes))
  for (const one of messages) connection.send(one)
  await until('the kernel has taken what it can', () => connection.jammed())
  await turns()
  const { peer } = connection
  const enough = peer.readBytes() + 3_000_000
  peer.resume() // until some of what waited in one batch has left too
  await until('the peer has read some', () => peer.readBytes() >= enough)
  peer.pause()
  await turns()
  await end(connection, subject.ends.find(({ by, abrupt }) => by === 'server' && abrupt) as End)
  connection.peer.resume()
  await connection.peer.gone
  const { sent, failed, failures } = books(connection)
  const got = arrived(t, subject, connection, messages)
  t.ok(got > 0 && got < messages.length, `${got} of ${messages.length} messages arrived`)
  t.equal(sent + failed, messages.length)
  t.equal(failures.length, 1)
  t.match(failures[0], { reason: 'server_closed', stage: 'lost' })
  const unreadable = subject.sealed === true && sent === got + 1 ? 1 : 0 // the rest of its record had not left
  if (has(t, subject, 'exactEnd')) t.equal(sent - unreadable, got, 'those that are counted sent arrived')
  else t.ok(sent <= got, 'none is counted sent that did not arrive')
}

export const receivedIsNotFailed: Sentence = {
  number: 8,
  sentence:
    'What the peer received completely is never counted failed, on a connection that it reads to the end.',
  async run(t, subject) {
    const sizes = [1, 0, 300, 70_000, 1_000_000, 5, 2_000_000, 12, 0, 4_000_000, 7]
    const all = sizes.map((bytes, index) => message(index, bytes))
    const wanted = subject.framed ? all : all.filter(({ length }) => length > 0)
    for (const way of subject.ends) {
      if (way.name === 'the peer resets') continue // it does not read to the end
      const connection = await open(t, subject, { maxSendBufferSize: Number.POSITIVE_INFINITY })
      for (const one of all) connection.send(one)
      await end(connection, way)
      await Promise.all([connection.closed, connection.peer.gone])
      const got = arrived(t, subject, connection, wanted)
      const { sent, failed, pending } = books(connection)
      t.equal(sent + failed, all.length)
      t.equal(pending, 0)
      const polite = way.name === 'the peer closes' || (way.by === 'server' && !way.abrupt)
      if (polite && has(t, subject, 'afterEnd')) {
        t.equal(got, wanted.length, `${way.name}: everything arrived`)
      }
      if (got === wanted.length && has(t, subject, 'afterEnd'))
        t.equal(failed, 0, `${way.name}: nothing is counted failed`)
      if (has(t, subject, 'exactEnd') && has(t, subject, 'afterEnd')) {
        t.ok(got <= sent, `${way.name}: ${got} arrived, ${sent} are counted sent`)
      }
    }
  },
}
