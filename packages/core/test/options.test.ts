import { test } from 'tap'
import { checkLimit, DEFAULT_POLICY, givenOptions, mergePolicy, type WrapOptions } from '../src/options.ts'

const thrown = (act: () => unknown): unknown => {
  try {
    act()
  } catch (error) {
    return error
  }
  return null
}

class Custom {}
const wrongTypes: readonly (readonly [unknown, string])[] = [
  [null, 'null'],
  [true, 'true'],
  [12n, '12n'],
  [Symbol('s'), 'Symbol(s)'],
  [{}, 'an object (Object)'],
  [[], 'an object (Array)'],
  [[5], 'an object (Array)'],
  [new Custom(), 'an object (Custom)'],
]
const asText = [['5', "'5'"]] as const
const asFunction = [[() => 5, 'a function (anonymous)']] as const

/** What each option must be, and what it must not be. */
const OPTIONS: Record<keyof WrapOptions, { good: unknown[]; wrong: typeof wrongTypes; out: unknown[] }> = {
  admission: {
    good: ['lenient', 'strict'],
    wrong: [...wrongTypes, ...asFunction, [5, '5']],
    out: ['', 'STRICT', 'strict '],
  },
  closeAfterFullMs: milliseconds(),
  closeAfterStallMs: milliseconds(),
  maxSendBufferSize: {
    good: [1, 1_048_576, Number.MAX_SAFE_INTEGER, Number.POSITIVE_INFINITY],
    wrong: [...wrongTypes, ...asFunction, ...asText],
    out: [0, -0, -1, 1.5, 2 ** 53, Number.NaN, Number.NEGATIVE_INFINITY, 1e300],
  },
  onBufferDrain: handler(),
  onBufferFull: handler(),
  onFull: {
    good: ['drop', 'close', 'observe'],
    wrong: [...wrongTypes, ...asFunction, [5, '5']],
    out: ['', 'Drop', 'dropped', 'constructor'],
  },
  onSendFail: handler(),
  slowAfterMs: milliseconds(),
  stallAfterMs: milliseconds(),
}

function milliseconds() {
  return {
    good: [Number.MIN_VALUE, 0.5, 1, 5000, Number.MAX_VALUE, Number.POSITIVE_INFINITY],
    wrong: [...wrongTypes, ...asFunction, ...asText],
    out: [0, -0, -1, -0.5, Number.NaN, Number.NEGATIVE_INFINITY],
  }
}

function handler() {
  return { good: [() => {}, class {}], wrong: [...wrongTypes, ...asText, [5, '5']] as const, out: [] }
}

for (const [name, { good, wrong, out }] of Object.entries(OPTIONS)) {
  const code = name === 'maxSendBufferSize' ? 'ERR_SEND_FAIL_LIMIT' : 'ERR_SEND_FAIL_OPTION'

  test(`${name} takes what it is documented to take`, async (t) => {
    for (const value of good) t.strictSame(givenOptions({ [name]: value }), { [name]: value })
    t.strictSame(givenOptions({ [name]: undefined }), {}, 'undefined counts as not given')
  })

  for (const [value, shown] of wrong) {
    test(`${name}: ${shown} throws a TypeError with ${code}`, async (t) => {
      const error = thrown(() => givenOptions({ [name]: value }))
      t.match(error, { constructor: TypeError, code })
      t.match((error as Error).message, new RegExp(`^${name} must be .*; received `))
      t.ok((error as Error).message.endsWith(`received ${shown}`), (error as Error).message)
    })
  }

  for (const value of out) {
    const shown = typeof value === 'string' ? `'${value}'` : Object.is(value, -0) ? '-0' : String(value)
    test(`${name}: ${shown} throws a RangeError with ${code}`, async (t) => {
      const error = thrown(() => givenOptions({ [name]: value }))
      t.match(error, { constructor: RangeError, code })
      t.match((error as Error).message, new RegExp(`^${name} must be .*; received `))
      t.ok((error as Error).message.endsWith(`received ${shown}`), (error as Error).message)
    })
  }
}

test('a number is a limit, and undefined is nothing given', async (t) => {
  t.strictSame(givenOptions(5), { maxSendBufferSize: 5 })
  t.strictSame(givenOptions(Number.POSITIVE_INFINITY), { maxSendBufferSize: Number.POSITIVE_INFINITY })
  t.strictSame(givenOptions(undefined), {})
  t.strictSame(givenOptions({}), {})
})

for (const value of [0, -0, -1, 0.5, 2 ** 53, Number.NaN, Number.NEGATIVE_INFINITY]) {
  const shown = Object.is(value, -0) ? '-0' : String(value)
  test(`a limit of ${shown} throws a RangeError with ERR_SEND_FAIL_LIMIT`, async (t) => {
    t.match(
      thrown(() => givenOptions(value)),
      {
        constructor: RangeError,
        code: 'ERR_SEND_FAIL_LIMIT',
        message: `maxSendBufferSize must be a positive integer (bytes) or Infinity; received ${shown}`,
      },
    )
  })
}

for (const [value, shown] of [
  [null, 'null'],
  ['1024', "'1024'"],
  ['', "''"],
  [true, 'true'],
  [1024n, '1024n'],
  [Symbol('s'), 'Symbol(s)'],
  [[], 'an object (Array)'],
  [[1024], 'an object (Array)'],
  [() => 1024, 'a function (anonymous)'],
  [new Map([['onFull', 'close']]), 'an object (Map)'],
  [Promise.resolve(1024), 'an object (Promise)'],
] as const) {
  test(`a limit of ${shown} throws a TypeError with ERR_SEND_FAIL_LIMIT`, async (t) => {
    t.match(
      thrown(() => givenOptions(value)),
      {
        constructor: TypeError,
        code: 'ERR_SEND_FAIL_LIMIT',
        message: `limit must be a positive integer (bytes), Infinity or an options object; received ${shown}`,
      },
    )
  })
}

for (const name of [
  'maxBufferSize',
  'onfull',
  'constructor',
  'toString',
  '__proto__',
  'hasOwnProperty',
  '',
  '0',
]) {
  test(`an option called '${name}' throws a TypeError with ERR_SEND_FAIL_OPTION and the known names`, async (t) => {
    const options = Object.defineProperty({}, name, { value: 7, enumerable: true })
    const error = thrown(() => givenOptions(options)) as Error
    t.match(error, { constructor: TypeError, code: 'ERR_SEND_FAIL_OPTION' })
    t.ok(error.message.startsWith(`${name} must be absent`), error.message)
    t.ok(error.message.endsWith('received 7'), error.message)
    for (const known of Object.keys(OPTIONS)) t.ok(error.message.includes(known), known)
  })
}

test('an empty object is no option, with or without a prototype', async (t) => {
  t.strictSame(givenOptions({}), {})
  t.strictSame(givenOptions(Object.create(null)), {})
})

test('an unknown option throws although its value is undefined', async (t) => {
  t.match(
    thrown(() => givenOptions({ maxBufferSize: undefined })),
    { code: 'ERR_SEND_FAIL_OPTION' },
  )
})

test('JSON with a __proto__ pollutes nothing', async (t) => {
  t.match(
    thrown(() => givenOptions(JSON.parse('{"__proto__":{"onFull":"close"}}'))),
    {
      code: 'ERR_SEND_FAIL_OPTION',
    },
  )
  t.equal(({} as WrapOptions).onFull, undefined)
})

test('an options object without a prototype is one', async (t) => {
  t.strictSame(givenOptions(Object.assign(Object.create(null), { onFull: 'close' })), { onFull: 'close' })
})

test('what a getter of the options throws reaches the caller, and each getter is read once', async (t) => {
  let reads = 0
  const mine = new Error('mine')
  const options = {
    get slowAfterMs() {
      reads++
      return 100
    },
    get onFull(): never {
      throw mine
    },
  }
  t.equal(
    thrown(() => givenOptions(options)),
    mine,
  )
  t.equal(reads, 1)
})

test('the options given are not kept and not changed', async (t) => {
  const options = Object.freeze({ onFull: 'close' as const, slowAfterMs: undefined })
  t.not(givenOptions(options), options)
})

test('checkLimit takes the name of the argument', async (t) => {
  checkLimit(5, 'bytes')
  t.match(
    thrown(() => checkLimit('5', 'bytes')),
    { message: /^bytes must be .*; received '5'$/ },
  )
  t.match(
    thrown(() => checkLimit(0)),
    { message: /^maxSendBufferSize must be .*; received 0$/ },
  )
})

test('the defaults are frozen and are these', async (t) => {
  t.ok(Object.isFrozen(DEFAULT_POLICY))
  t.strictSame(DEFAULT_POLICY, {
    admission: 'lenient',
    closeAfterFullMs: Number.POSITIVE_INFINITY,
    closeAfterStallMs: Number.POSITIVE_INFINITY,
    onBufferDrain: undefined,
    onBufferFull: undefined,
    onFull: null,
    onSendFail: undefined,
    slowAfterMs: 5000,
    stallAfterMs: 30_000,
  })
})

test('mergePolicy adds what was given and keeps the rest', async (t) => {
  const merged = mergePolicy(DEFAULT_POLICY, { onFull: 'close', maxSendBufferSize: 5 })
  t.strictSame(merged, { ...DEFAULT_POLICY, onFull: 'close' })
  t.ok(Object.isFrozen(merged))
  t.strictSame(mergePolicy(merged, { slowAfterMs: 1 }), {
    ...DEFAULT_POLICY,
    onFull: 'close',
    slowAfterMs: 1,
  })
})

test('sockets without options of their own share one policy', async (t) => {
  t.equal(mergePolicy(DEFAULT_POLICY, {}), DEFAULT_POLICY)
  t.equal(mergePolicy(DEFAULT_POLICY, { maxSendBufferSize: 5 }), DEFAULT_POLICY)
})
