import { registry } from '@sendfail/core'
import type { Test } from 'tap'
import type { Connection } from '../subject.ts'
import { arrived, books, FLOOD, handClock, jammed, LIMIT, message, turns, until } from '../traffic.ts'
import type { Sentence } from './sentence.ts'

async function endedInSilence(t: Test, connection: Connection, how: string): Promise<void> {
  await until(`${how} closed the connection`, () => !connection.isOpen())
  await connection.closed
  await turns()
  t.strictSame(connection.errors, [], `${how}: no 'error'`)
  connection.peer.resume()
  await connection.peer.gone
}

export const policyIsSilent: Sentence = {
  number: 14,
  sentence: "Destroying by policy ends the connection without an 'error' event.",
  async run(t, subject) {
    const full = await jammed(t, subject, { maxSendBufferSize: LIMIT, onFull: 'close' })
    t.ok(full.isOpen(), 'the limit alone closes nothing')
    full.send(message(1, 10))
    await endedInSilence(t, full, "onFull: 'close'")
    const both = { reason: 'buffer_full', receiver: 'burst', count: 1 }
    t.match(books(full).failures, [
      { ...both, stage: 'refused', bytes: 10 },
      { ...both, stage: 'lost', bytes: FLOOD.length },
    ])
    t.match(books(full), { attempted: 2, sent: 0, pending: 0, closedBy: 'limit' })
    t.equal(arrived(t, subject, full, [FLOOD]), 0, 'the peer never had it all')

    const clock = handClock(t)
    for (const option of ['closeAfterFullMs', 'closeAfterStallMs']) {
      const connection = await jammed(t, subject, { maxSendBufferSize: LIMIT, [option]: 10_000 })
      connection.send(message(1, 10))
      clock.ms += 9_999
      registry.sweep()
      t.ok(connection.isOpen(), `${option}: not yet`)
      clock.ms += 1
      registry.sweep()
      if (connection.isOpen()) {
        clock.ms += 10_000 // the first look may still have seen a byte leave
        registry.sweep()
      }
      await endedInSilence(t, connection, option)
      t.match(books(connection), { attempted: 2, sent: 0, failed: 2, pending: 0, closedBy: 'timeout' })
      const lost = books(connection).failures.find(({ stage }) => stage === 'lost')
      t.strictSame(lost, {
        reason: 'timed_out',
        stage: 'lost',
        receiver: null,
        count: 1,
        bytes: FLOOD.length,
      })
      await connection.dispose()
    }
  },
}
