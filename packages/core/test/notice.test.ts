import { once } from 'node:events'
import { test } from 'tap'
import { CHANNELS, callHandler } from '../src/notice.ts'

const warning = async (): Promise<Error & { code?: string; detail?: string }> =>
  (await once(process, 'warning'))[0]

test('the channels have their names', async (t) => {
  t.strictSame(
    Object.values(CHANNELS).map((channel) => channel.name),
    ['sendfail:fail', 'sendfail:full', 'sendfail:drain'],
  )
  t.ok(Object.isFrozen(CHANNELS))
})

test('a handler is called at once with its arguments', async (t) => {
  const calls: unknown[] = []
  callHandler('onSendFail', (...args: unknown[]) => calls.push(args), 1, 'two')
  t.strictSame(calls, [[1, 'two']])
})

for (const [how, handler] of [
  [
    'throws',
    () => {
      throw new Error('mine')
    },
  ],
  ['rejects', () => Promise.reject(new Error('mine'))],
] as const) {
  test(`a handler that ${how} becomes a process warning with ERR_SEND_FAIL_CALLBACK`, async (t) => {
    const warned = warning()
    callHandler('onBufferFull', handler)
    const { code, detail, message, name } = await warned
    t.strictSame([name, code], ['SendFailWarning', 'ERR_SEND_FAIL_CALLBACK'])
    t.match(message, /^onBufferFull threw/)
    t.match(detail, /Error: mine/)
  })
}

for (const [what, thrown, detail] of [
  ['undefined', undefined, 'undefined'],
  ['null', null, 'null'],
  ['an object without a prototype', Object.create(null), '[Object: null prototype] {}'],
] as const) {
  test(`a handler that throws ${what} becomes a process warning`, async (t) => {
    const warned = warning()
    callHandler('onSendFail', () => {
      throw thrown
    })
    t.equal((await warned).detail, detail)
  })
}

test('a handler that causes the next notice is called again in a later turn, not from within', async (t) => {
  const order: string[] = []
  const again = () => {
    order.push('start')
    if (order.length < 6) callHandler('onSendFail', again)
    order.push('end')
  }
  callHandler('onSendFail', again)
  t.strictSame(order, ['start', 'end'])
  for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate)
  t.strictSame(order, ['start', 'end', 'start', 'end', 'start', 'end', 'start', 'end'])
})

test('a handler can be called again after one threw', async (t) => {
  const warned = warning()
  callHandler('onSendFail', () => {
    throw new Error('once')
  })
  let called = false
  callHandler('onSendFail', () => {
    called = true
  })
  t.ok(called, 'in the same turn')
  await warned
})
