import { socketStatus } from '@sendfail/uws'
import { test } from 'tap'
import { WITHOUT_UWS } from '../../../test/fixtures/uws.ts'
import type { UwsSocket } from '../../../test/fixtures/uws-link.ts'
import { books, drained, FLOOD, failures, jam, open, turns, until } from './fixtures/traffic.ts'

const skip = WITHOUT_UWS
const pending = (ws: UwsSocket): number[] => {
  const { pending, sent } = socketStatus(ws)
  return [pending, sent]
}

test('a message is pending while it is corked, and sent when cork() returns', { skip }, async (t) => {
  const link = await open(t)
  const seen: unknown[] = []
  const returned = link.ws.cork(() => {
    seen.push(link.ws.send('one'), link.ws.send('two'), link.ws.getBufferedAmount(), pending(link.ws))
    link.ws.cork(() => link.ws.send('three'))
    seen.push(pending(link.ws))
  })
  t.equal(returned, link.ws)
  t.strictSame(seen, [1, 1, 0, [2, 0], [3, 0]])
  t.match(books(link), { sent: 3, pending: 0, sentBytes: 11 })
  await until(() => link.peer.received.length === 3)
})

test('what the kernel does not take of a flushed cork stays pending', { skip }, async (t) => {
  const link = await open(t, { limit: Number.POSITIVE_INFINITY })
  link.peer.pause()
  link.ws.cork(() => {
    link.ws.send('small')
    link.ws.send(FLOOD, true)
    link.ws.send('behind')
  })
  t.match(books(link), { sent: 1, pending: 2 })
  await drained(link)
  t.match(books(link), { sent: 3 })
})

test('a callback of cork() that throws leaves nothing corked', { skip }, async (t) => {
  const link = await open(t)
  try {
    link.ws.cork(() => {
      link.ws.send('before')
      throw new Error('in the cork')
    })
  } catch {
    // uWS decides whether it is thrown on
  }
  link.ws.send('after')
  t.match(books(link), { sent: 2, pending: 0 })
})

test('in a handler, and in what it queues, a message is pending until uWS has flushed', {
  skip,
}, async (t) => {
  const seen: unknown[] = []
  const look = (where: string, ws: UwsSocket) => {
    seen.push([where, ws.send(where), ...pending(ws)])
  }
  const link = await open(t, {
    behavior: {
      open: (ws) => look('open', ws),
      message(ws) {
        look('message', ws)
        queueMicrotask(() => look('microtask', ws))
        process.nextTick(() => look('tick', ws))
      },
    },
  })
  t.match(books(link), { sent: 1, pending: 0 }, 'flushed since')
  link.say('now')
  await until(() => seen.length === 4)
  await turns()
  t.strictSame(seen, [
    ['open', 1, 1, 0],
    ['message', 1, 1, 1],
    ['tick', 1, 2, 1],
    ['microtask', 1, 3, 1],
  ])
  t.match(books(link), { sent: 4, pending: 0 })
  link.ws.send('later')
  t.match(books(link), { sent: 5, pending: 0 })
})

for (const how of ['end', 'close'] as const) {
  test(`what is corked when ${how}() is called is ${how === 'end' ? 'sent' : 'lost'}, as the peer sees it`, {
    skip,
  }, async (t) => {
    const link = await open(t, {
      behavior: {
        message(ws) {
          ws.send('bye')
          ws[how]()
        },
      },
    })
    link.say('now')
    await Promise.all([link.closed, link.peer.gone])
    t.strictSame(link.peer.received.map(String), how === 'end' ? ['bye'] : [])
    t.strictSame(failures(link), how === 'end' ? [] : ['1 lost server_closed 3'])
    t.match(books(link), { attempted: 1, closedBy: 'server' })
  })
}

test('a full connection refuses corked messages too', { skip }, async (t) => {
  const link = await open(t)
  jam(link)
  const told: number[] = []
  link.ws.cork(() => told.push(link.ws.send('refused')))
  t.strictSame(told, [2])
  t.strictSame(failures(link), ['1 refused buffer_full 7'])
})
