import { readFileSync } from 'node:fs'
import {
  setDefaultMaxSendBufferSize,
  socketStatus,
  unwrapSocket,
  wrapBehavior,
  wrapSocket,
} from '@sendfail/uws'
import { test } from 'tap'
import { WITHOUT_UWS } from '../../../test/fixtures/uws.ts'
import type { UwsBehavior, UwsSocket } from '../../../test/fixtures/uws-link.ts'
import { VERSION } from '../src/version.ts'
import {
  books,
  drained,
  FLOOD,
  failures,
  jam,
  jammed,
  LIMIT,
  open,
  turns,
  until,
} from './fixtures/traffic.ts'

const skip = WITHOUT_UWS
const HANDLERS = [
  'open',
  'message',
  'drain',
  'dropped',
  'close',
  'ping',
  'pong',
  'subscription',
  'upgrade',
] as const

test('every handler is called with the this and the arguments that uWS gave', async (t) => {
  for (const name of HANDLERS) {
    const calls: unknown[][] = []
    const behavior = {
      [name](this: unknown, ...args: unknown[]) {
        calls.push([this, ...args])
        return name
      },
    } as UwsBehavior
    const wrapped = wrapBehavior(behavior, LIMIT) as unknown as Record<
      string,
      (...args: unknown[]) => unknown
    >
    const socket = fakeSocket()
    const self = { called: name }
    const args = [socket, 'second', 3, undefined, 'fifth']
    t.equal(wrapped[name]?.apply(self, args), name, 'what it returns is returned')
    t.strictSame(calls, [[self, ...args]])
    t.equal(
      behavior[name as 'open'] === (wrapped as unknown as UwsBehavior)[name as 'open'],
      name === 'upgrade',
    )
  }
})

/** As many methods as a guard needs. */
function fakeSocket(): UwsSocket {
  const methods = { send: () => 1, getBufferedAmount: () => 0, cork() {}, end() {}, close() {} }
  return { ...methods, getRemoteAddress: () => new ArrayBuffer(4) } as unknown as UwsSocket
}

test('handlers are called in order, async ones too, and what they throw is theirs', { skip }, async (t) => {
  const seen: string[] = []
  const link = await open(t, {
    behavior: {
      open: (ws) => void seen.push(`open, limit ${socketStatus(ws).limitBytes}`),
      async message(ws, message, isBinary) {
        seen.push(`message ${Buffer.from(message)} ${isBinary}`)
        await turns()
        seen.push('a while later')
        ws.send('answered')
      },
      drain: (ws) => void seen.push(`drain ${socketStatus(ws).pending === 0 || ws.getBufferedAmount() > 0}`),
      ping: (_ws, message) => void seen.push(`ping ${Buffer.from(message)}`),
      subscription: (_ws, topic, count) => void seen.push(`subscription ${Buffer.from(topic)} ${count}`),
      close: (_ws, code, message) => void seen.push(`close ${code} ${Buffer.from(message)}`),
    },
  })
  link.ws.subscribe('news')
  link.say('hello')
  await until(() => link.peer.received.length === 1)
  link.peer.ping?.('there')
  await until(() => seen.includes('ping there'))
  jam(link)
  await drained(link)
  link.closeWith(4001, 'enough')
  await link.closed
  const drains = seen.filter((line) => line.startsWith('drain'))
  t.ok(drains.length > 0)
  t.ok(
    drains.every((line) => line === 'drain true'),
    'the books are settled before the handler runs',
  )
  t.strictSame(
    seen.filter((line) => !line.startsWith('drain')),
    [
      `open, limit ${LIMIT}`,
      'subscription news 1',
      'message hello false',
      'a while later',
      'ping there',
      'subscription news 0',
      'close 4001 enough',
    ],
  )
})

test('the behavior is not changed, and handlers of its prototype count', { skip }, async (t) => {
  const seen: string[] = []
  class Chat {
    maxPayloadLength = 1000
    open(_ws: UwsSocket): void {
      seen.push('open')
    }
  }
  const chat = new Chat()
  const keys = Reflect.ownKeys(chat)
  const wrapped = wrapBehavior(chat, LIMIT)
  t.strictSame(Reflect.ownKeys(chat), keys)
  t.type(wrapped, Chat)
  wrapped.open(fakeSocket())
  t.strictSame(seen, ['open'])
  t.match(wrapped, { maxPayloadLength: 1000 })
})

test("the limit of uWS is set above ours, unless the user's own stands", async (t) => {
  const native = (behavior: UwsBehavior, limit?: Parameters<typeof wrapBehavior>[1]) =>
    wrapBehavior(behavior, limit).maxBackpressure
  t.equal(native({}, LIMIT), LIMIT + LIMIT / 8 + 16_384)
  t.equal(native({}), 1_048_576 + 131_072 + 16_384)
  t.equal(native({}, Number.POSITIVE_INFINITY), 0, 'none')
  t.equal(native({}, 2 ** 40), 0, 'more than uWS can count')
  t.equal(native({ maxBackpressure: 1 }, LIMIT), 1)
  t.equal(native({ maxBackpressure: 0 }, LIMIT), 0)
  t.equal(native({}, { onFull: 'observe' }), undefined, 'to observe is to leave it alone')
  setDefaultMaxSendBufferSize(LIMIT)
  t.equal(native({}), LIMIT + LIMIT / 8 + 16_384)
  setDefaultMaxSendBufferSize(1_048_576)
})

test('wrapping a behavior again changes the options that are given', { skip }, async (t) => {
  const once = wrapBehavior({} as UwsBehavior, { maxSendBufferSize: 1000, onFull: 'close' })
  const twice = wrapBehavior(once, 2000)
  t.equal(twice.maxBackpressure, 2000 + 250 + 16_384)
  const socket = fakeSocket()
  twice.open?.(socket)
  t.match(socketStatus(socket), { limitBytes: 2000 })
  unwrapSocket(socket)
})

test('the options of one connection can be changed, and its guard be taken off', { skip }, async (t) => {
  const link = await open(t, { limit: { maxSendBufferSize: 1000 } })
  wrapSocket(link.ws, 5000)
  t.match(books(link), { limitBytes: 5000 })
  t.equal(Reflect.ownKeys(unwrapSocket(link.ws)).length, 0)
  t.equal(link.ws.send('bare'), 1)
  t.throws(() => books(link), { code: 'ERR_SEND_FAIL_NOT_WRAPPED' })
})

test('closeOnBackpressureLimit closes at our limit', { skip }, async (t) => {
  const link = await jammed(t, { behavior: { closeOnBackpressureLimit: true as never } })
  t.equal(link.ws.send('one too many'), 2)
  t.equal((await link.closed).code, 1006)
  t.match(books(link), { closedBy: 'limit', failed: 2, pending: 0 })
  t.strictSame(failures(link).sort(), [`1 lost buffer_full ${FLOOD.length}`, '1 refused buffer_full 12'])
})

test('closeOnBackpressureLimit closes at a lower limit of uWS too', { skip }, async (t) => {
  const behavior = { closeOnBackpressureLimit: true as never, maxBackpressure: 1000 }
  const link = await jammed(t, { limit: { maxSendBufferSize: 2 * FLOOD.length, onFull: 'drop' }, behavior })
  t.equal(link.ws.send('one too many'), 2)
  t.match(books(link), { pending: 1, failed: 1 })
  await link.closed
  t.match(books(link), { closedBy: 'limit', failed: 2, pending: 0 })
})

test("onFull 'observe' refuses nothing", { skip }, async (t) => {
  const link = await jammed(t, { limit: { maxSendBufferSize: LIMIT, onFull: 'observe' } })
  t.equal(link.ws.send('let through'), 0)
  t.match(books(link), { overLimit: 1, failed: 0, pending: 2 })
})

test('full and drain are told once each, in turn', { skip }, async (t) => {
  const told: string[] = []
  const options = { onBufferFull: () => told.push('full'), onBufferDrain: () => told.push('drain') }
  const link = await open(t, { limit: { maxSendBufferSize: LIMIT, ...options } })
  for (const round of [1, 2]) {
    jam(link)
    link.ws.send('refused')
    await drained(link)
    t.strictSame(told, ['full', 'drain', 'full', 'drain'].slice(0, 2 * round))
  }
})

test('anything that is no behavior, socket or limit is refused by name', async (t) => {
  for (const wrong of [undefined, null, 7, 'x']) {
    t.throws(() => wrapBehavior(wrong as never, 1), { code: 'ERR_SEND_FAIL_SERVER', name: 'TypeError' })
    t.throws(() => wrapSocket(wrong as never, 1), { code: 'ERR_SEND_FAIL_SOCKET', name: 'TypeError' })
  }
  t.throws(() => wrapBehavior({}, -1), { code: 'ERR_SEND_FAIL_LIMIT', name: 'RangeError' })
  t.throws(() => wrapBehavior({}, { onFull: 'no' as never }), { code: 'ERR_SEND_FAIL_OPTION' })
})

test('a Unix domain socket and TLS are told apart', { skip }, async (t) => {
  const { snapshot } = await import('@sendfail/uws')
  const sent = (transport: string) =>
    snapshot().series.find((one) => one.meter === '@sendfail/uws' && one.transport === transport)?.sent ?? 0
  const before = [sent('unix'), sent('tcp')] as const
  const local = await open(t, { local: true })
  t.equal(local.ws.send('x'), 1)
  t.strictSame([sent('unix'), sent('tcp')], [before[0] + 1, before[1]])
  const secure = await open(t, {}, 'uws+ssl')
  t.equal(secure.ws.send('x'), 1)
  t.strictSame([sent('unix'), sent('tcp')], [before[0] + 1, before[1] + 1])
})

test('the version in the source is that of package.json', async (t) => {
  const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
  t.equal(VERSION, version)
})
