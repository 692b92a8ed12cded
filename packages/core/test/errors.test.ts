import { test } from 'tap'
import { type FailureFacts, failureError, outOfRange, SendFailError, show, wrongType } from '../src/errors.ts'

const facts: FailureFacts = {
  reason: 'buffer_full',
  stage: 'refused',
  receiver: 'slow',
  bytes: 12,
  pendingBytes: 1000,
  limitBytes: 999,
}

test('a SendFailError carries its facts', async (t) => {
  const cause = new Error('reset')
  const error = new SendFailError({ ...facts, cause })
  t.ok(error instanceof Error)
  t.match(error, { ...facts, cause, code: 'ERR_SEND_FAIL', name: 'SendFailError' })
  t.equal(`${new SendFailError(facts).cause}`, 'undefined')
  t.notOk('cause' in new SendFailError(facts), 'no cause without one')
})

test('its message says what happened in one line', async (t) => {
  t.equal(
    new SendFailError(facts).message,
    'a message of 12 bytes was refused: buffer_full, receiver slow (1000 bytes pending under a limit of 999)',
  )
  t.match(
    new SendFailError({ ...facts, reason: 'client_closed', stage: 'lost', receiver: null }).message,
    /was lost: client_closed \(1000 bytes/,
  )
})

test('only a refusal that is not about the buffer has a stack', async (t) => {
  const frames = (error: Error) => (error.stack ?? '').split('\n').length - 1
  t.ok(frames(failureError({ ...facts, reason: 'server_closed', receiver: null })) > 0)
  t.equal(frames(failureError(facts)), 0)
  t.equal(frames(failureError({ ...facts, reason: 'server_closed', receiver: null, stage: 'lost' })), 0)
})

test('Error.stackTraceLimit is left as it was', async (t) => {
  const before = Error.stackTraceLimit
  t.teardown(() => {
    Error.stackTraceLimit = before
  })
  Error.stackTraceLimit = 7
  failureError(facts)
  t.equal(Error.stackTraceLimit, 7)
})

test('wrongType is a TypeError, outOfRange a RangeError, both with code, name and value', async (t) => {
  t.match(wrongType('ERR_SEND_FAIL_LIMIT', 'limit', 'a number', 'x'), {
    constructor: TypeError,
    code: 'ERR_SEND_FAIL_LIMIT',
    message: "limit must be a number; received 'x'",
  })
  t.match(outOfRange('ERR_SEND_FAIL_OPTION', 'slowAfterMs', 'above 0', -1), {
    constructor: RangeError,
    code: 'ERR_SEND_FAIL_OPTION',
    message: 'slowAfterMs must be above 0; received -1',
  })
})

class Named {}
const noConstructor = Object.create({ constructor: 5 })
const hostileInspect = {
  toString() {
    throw new Error('toString')
  },
  [Symbol.toPrimitive]() {
    throw new Error('toPrimitive')
  },
  get [Symbol.toStringTag](): string {
    throw new Error('toStringTag')
  },
  [Symbol.for('nodejs.util.inspect.custom')]() {
    throw new Error('inspect')
  },
}

for (const [value, text] of [
  [undefined, 'undefined'],
  [null, 'null'],
  [true, 'true'],
  [-0, '-0'],
  [1.5, '1.5'],
  [Number.NaN, 'NaN'],
  [10n, '10n'],
  ['drop', "'drop'"],
  ['x'.repeat(500), `'${'x'.repeat(76)}...`],
  [Symbol('s'), 'Symbol(s)'],
  [Math.max, 'a function (max)'],
  [
    (
      () => () =>
        1
    )(),
    'a function (anonymous)',
  ],
  [Named, 'a function (Named)'],
  [{}, 'an object (Object)'],
  [[], 'an object (Array)'],
  [new Named(), 'an object (Named)'],
  [new (class {})(), 'an object (anonymous)'],
  [Object.create(null), 'an object (null prototype)'],
  [noConstructor, 'an object (anonymous)'],
  [hostileInspect, 'an object (Object)'],
] as const) {
  test(`a received value is shown as ${text}`, async (t) => {
    t.equal(show(value), text)
  })
}

const trap = (): never => {
  throw new Error('trap')
}
for (const [name, value] of [
  ['a constructor that throws', Object.create(Object.defineProperty({}, 'constructor', { get: trap }))],
  ['a proxy whose prototype throws', new Proxy({}, { getPrototypeOf: trap })],
  ['a function whose name throws', Object.defineProperty(() => {}, 'name', { get: trap })],
  ['a function whose name is an object', Object.defineProperty(() => {}, 'name', { value: hostileInspect })],
  [
    'a constructor whose name throws',
    Object.create({ constructor: Object.defineProperty(() => {}, 'name', { get: trap }) }),
  ],
] as const) {
  test(`a received value with ${name} is shown in one line`, async (t) => {
    t.match(show(value), /^an? (object|function) \(.*\)$/)
  })
}
