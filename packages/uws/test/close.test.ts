import { snapshot, socketStatus, unwrapSocket, wrapSocket } from '@sendfail/uws'
import { test } from 'tap'
import { WITHOUT_UWS } from '../../../test/fixtures/uws.ts'
import type { UwsLink } from '../../../test/fixtures/uws-link.ts'
import { books, failures, jam, jammed, open, turns, until } from './fixtures/traffic.ts'

const skip = WITHOUT_UWS
const CLOSED = { message: /^Invalid access of closed uWS\.(SSL)?WebSocket/ }

const ENDS: Record<string, { by: 'client' | 'server'; code: number; act: (link: UwsLink) => void }> = {
  'end()': { by: 'server', code: 0, act: ({ ws }) => ws.end() },
  'end(4000)': { by: 'server', code: 4000, act: ({ ws }) => ws.end(4000, 'enough') },
  'close()': { by: 'server', code: 1006, act: ({ ws }) => ws.close() },
  'the close frame of the peer': { by: 'client', code: 1005, act: ({ peer }) => peer.close() },
  'the FIN of the peer': { by: 'client', code: 1006, act: ({ peer }) => peer.fin() },
  'the reset of the peer': { by: 'client', code: 1006, act: ({ peer }) => peer.reset() },
}

for (const [name, { act, by, code }] of Object.entries(ENDS)) {
  for (const kind of ['uws', 'uws+ssl'] as const) {
    test(`after ${name} what waited is lost, a send throws and is counted, ${by} (${kind})`, {
      skip,
    }, async (t) => {
      const seen: unknown[] = []
      const link = await jammed(t, { behavior: { close: (ws) => seen.push(socketStatus(ws)) } }, kind)
      act(link)
      t.equal((await link.closed).code, code)
      const reason = `${by}_closed`
      t.match(
        seen,
        [{ closedBy: by, pending: 0, sent: 0, failed: 1 }],
        'the close handler sees the final books',
      )
      t.strictSame(failures(link), [`1 lost ${reason} ${16 * 1024 * 1024}`])
      t.throws(() => link.ws.send('too late'), CLOSED)
      t.throws(() => link.ws.sendFirstFragment('x'), CLOSED)
      t.throws(() => link.ws.end(), CLOSED)
      t.throws(() => link.ws.cork(() => {}), CLOSED)
      t.throws(() => link.ws.send({} as never), CLOSED)
      t.strictSame(failures(link).sort(), [`1 lost ${reason} ${16 * 1024 * 1024}`, `2 refused ${reason} 9`])
      t.match(books(link), { closedBy: by, pending: 0, sent: 0, failed: 3 })
      t.strictSame(link.ws.getUserData(), link.ws.getUserData())
    })
  }
}

test('what left before the end is sent, also when the peer resets', { skip }, async (t) => {
  const link = await open(t)
  for (let message = 0; message < 10; message++) link.ws.send('left')
  link.peer.reset()
  await link.closed
  t.match(books(link), { sent: 10, failed: 0, closedBy: 'client' })
})

test('a wrong argument of end() closes nothing', { skip }, async (t) => {
  const link = await open(t)
  t.throws(() => link.ws.end(1000, {} as never))
  t.match(books(link), { closedBy: null })
  t.equal(link.ws.send('still open'), 1)
  t.match(books(link), { sent: 1 })
})

test("the idle timeout of uWS is a timeout, not the client's doing", {
  skip,
  timeout: 120_000,
}, async (t) => {
  const link = await jammed(t, { behavior: { idleTimeout: 8 } })
  t.match(await link.closed, { code: 1006, message: 'WebSocket timed out from inactivity' })
  t.match(books(link), { closedBy: 'timeout' })
  t.match(failures(link), [/^1 lost timed_out/])
})

test('a close frame of the peer with that text is not taken for it', { skip }, async (t) => {
  const link = await open(t)
  const { closed } = link
  link.closeWith(1000, 'WebSocket timed out from inactivity')
  await closed
  t.match(books(link), { closedBy: 'client' })
})

test('without the handlers a WebSocket is asked whether it is still there', { skip }, async (t) => {
  const open = () => snapshot().connections
  const before = open()
  const link = await jammedAlone()
  t.teardown(() => link.dispose())
  t.not(open().burst, before.burst)
  link.peer.reset()
  await until(() => link.isClosed())
  await until(() => books(link).closedBy !== null)
  t.match(books(link), { closedBy: 'client', failed: 1, pending: 0 })
  t.throws(() => link.ws.send('x'), CLOSED)
  t.match(books(link), { failed: 2 })
  t.strictSame(open(), before)

  const idle = await alone()
  t.teardown(() => idle.dispose())
  idle.peer.reset()
  await until(() => idle.isClosed())
  t.throws(() => idle.ws.send('x'), CLOSED, 'the send is the first to notice')
  t.match(books(idle), { closedBy: 'client', failed: 1 })

  for (const how of ['end', 'close'] as const) {
    const ours = await alone()
    ours.ws[how]()
    t.match(books(ours), { closedBy: 'server' })
    await ours.dispose()
  }

  const quiet = await alone()
  quiet.peer.reset()
  await until(() => quiet.isClosed())
  await until(() => snapshot().connections.ok === before.ok)
  await quiet.dispose()
})

async function alone(): Promise<UwsLink> {
  const { openUws } = await import('../../../test/fixtures/uws-link.ts')
  const link = await openUws('uws', { wraps: false })
  wrapSocket(link.ws, 1000)
  return link
}

async function jammedAlone(): Promise<UwsLink> {
  const link = await alone()
  jam(link)
  return link
}

test('a WebSocket that is wrapped after its end refuses from the start', { skip }, async (t) => {
  const link = await open(t, { limit: null })
  link.ws.close()
  wrapSocket(link.ws)
  t.throws(() => link.ws.send('x'), CLOSED)
  t.match(books(link), { failed: 1, closedBy: 'client' }, 'who closed it nobody has seen')
  unwrapSocket(link.ws)
  await turns()
})
