import { books, delivered, drained, FLOOD, handClock, jam, LIMIT, open, turns, until } from '../traffic.ts'
import type { Sentence } from './sentence.ts'

/** A reader makes the kernel grow its buffers: there must be much more than they ever hold. */
const HUGE = Buffer.alloc(32 * 1024 * 1024, FLOOD)

export const progressIsSeen: Sentence = {
  number: 9,
  sentence: 'Progress is seen while one huge message drains.',
  needs: 'progress',
  async run(t, subject) {
    const clock = handClock(t)
    const policy = { maxSendBufferSize: LIMIT, slowAfterMs: 5000, stallAfterMs: 30_000 }
    const connection = await open(t, subject, policy)
    await jam(t, connection, HUGE)
    t.equal(books(connection).receiver, 'burst')
    clock.ms += 4999
    t.equal(books(connection).receiver, 'burst')
    clock.ms += 1
    t.equal(books(connection).receiver, 'slow')
    const stalls = async () => {
      for (let look = 0; look < 1000 && books(connection).receiver !== 'stalled'; look++) {
        await turns(2)
        clock.ms += 30_000
      }
      t.equal(books(connection).receiver, 'stalled', 'no byte leaves')
    }
    await stalls()

    for (const part of [1, 2]) {
      const before = { held: connection.held(), read: connection.peer.readBytes() }
      connection.peer.resume()
      await until('bytes leave', () => books(connection).receiver !== 'stalled')
      connection.peer.pause()
      const { pending, pendingBytes, receiver, sent } = books(connection)
      const seen = { pending, pendingBytes, receiver, sent }
      t.strictSame(seen, { pending: 1, pendingBytes: HUGE.length, receiver: 'slow', sent: 0 }, `part ${part}`)
      t.ok(connection.held() > 0 && connection.held() <= before.held)
      t.ok(connection.peer.readBytes() > before.read, 'the peer took some of it')
      clock.ms += 29_999
      t.equal(books(connection).receiver, 'slow', 'a byte left less than 30 s ago')
      await stalls()
    }
    await drained(connection)
    t.match(books(connection), { receiver: 'ok', sent: 1, failed: 0 })
    await delivered(t, subject, connection, [HUGE])
  },
}
