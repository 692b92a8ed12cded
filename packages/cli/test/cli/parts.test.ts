import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { test } from 'tap'
import { conditionOf, metOf } from '../../src/cli/fail-on.ts'
import { CLOSED_FIELDS, type Field, fieldCalled, LIVE_FIELDS, sorted } from '../../src/cli/fields.ts'
import { FilterError, filterOf } from '../../src/cli/filter.ts'
import { readKey } from '../../src/cli/listed.ts'
import { changeOf, lookAt, readLook, writeLook } from '../../src/cli/look.ts'
import { parsePlain, plain } from '../../src/cli/plain.ts'
import { addUp, type Process } from '../../src/cli/processes.ts'
import { screenOf } from '../../src/cli/screen.ts'
import { statusView } from '../../src/cli/status-view.ts'
import { type Column, table } from '../../src/cli/table.ts'
import { whyOf } from '../../src/cli/why.ts'
import { number, plural, rate, share, size, speed, time } from '../../src/cli/words.ts'

const PROCESS: Process = {
  ...addUp([]),
  pid: 1,
  name: 'one',
  state: 'ok',
  v: 1,
  threads: 1,
  primaryPid: null,
  startedAtMs: 0,
  uptimeMs: 100_000,
  rssBytes: 1,
}
const failing = (count: number, pid = 1): Process => {
  const failures = [{ reason: 'client_closed', stage: 'refused', receiver: null, count, bytes: 10 * count }]
  return { ...PROCESS, pid, attempted: 2 * count, sent: count, failed: count, failures }
}

test('whatever a text holds, nothing of it that is shown controls a terminal', async (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
      const shown = plain(text)
      return shown.length <= 200 && !/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(shown)
    }),
    { seed: 20_261_124, numRuns: 2000 },
  )
  t.equal(plain('ein Name, 名前, 🙂'), 'ein Name, 名前, 🙂')
  t.same(parsePlain('{"a":["\\u001b[1m",{"b":"\\r\\n"}],"c":1}'), {
    a: ['\ufffd[1m', { b: '\ufffd\ufffd' }],
    c: 1,
  })
  t.throws(() => parsePlain('{'), SyntaxError)
})

test('numbers are words a person reads', async (t) => {
  t.same([number(1234567), number(0)], ['1,234,567', '0'])
  t.same([size(0), size(1536), size(2 ** 20), speed(1024)], ['0 B', '1.5 KiB', '1 MiB', '1 KiB/s'])
  t.same(
    [time(-5), time(840), time(35_400), time(250_000), time(26 * 3_600_000)],
    ['0.0s', '0.8s', '35s', '4m 10s', '1d 2h'],
  )
  t.same([0, 0.001, 0.5, 9.996, 12.4].map(rate), ['0', '<0.01', '0.5', '10', '12'])
  t.same(
    [share(0, 0), share(1, 3000), share(1, 30), share(1, 2), share(1, 1)],
    ['0 %', '<0.1 %', '3.3 %', '50 %', '100 %'],
  )
  t.same(
    [plural(1, 'client'), plural(2000, 'client'), plural(0, 'process', 'processes')],
    ['1 client', '2,000 clients', '0 processes'],
  )
})

test('a narrow table gives up its least columns first, and never those that rank 0', async (t) => {
  const columns: Column<string>[] = [
    { title: 'KEY', rank: 0, cell: (row) => row },
    { title: 'SOME', rank: 1, right: true, cell: ({ length }) => String(length) },
    { title: 'LEAST', rank: 2, cell: () => 'x' },
  ]
  t.same(table(columns, ['a', '名前名前'], 80), [
    'KEY       SOME  LEAST',
    'a            1  x',
    '名前名前     4  x',
  ])
  t.same(table(columns, ['a'], 12), ['KEY  SOME', 'a       1'])
  t.same(table(columns, ['a'], 3), ['KEY', 'a'])
  t.same(table(columns, ['a'], 1), ['KEY', 'a'])
  t.same(table(columns, [], 80), ['KEY  SOME  LEAST'])
})

test('filters', async (t) => {
  interface Row {
    readonly state: string
    readonly receiver: string
    readonly foreign: string | null
    readonly sendq: number
    readonly age: number
  }
  const field = (name: keyof Row): Field<Row> => ({
    name,
    value: (row) => row[name],
    column: { title: '', rank: 0, cell: () => '' },
  })
  const fields = (['state', 'foreign', 'sendq', 'age'] as const).map(field)
  const row: Row = { state: 'full', receiver: 'slow', foreign: '10.0.0.1:5', sendq: 2 ** 20, age: 61_000 }
  const yes = [
    'state=full',
    'state=slow',
    'foreign=10.0.',
    'sendq=1MiB',
    'sendq = 1048576',
    'sendq>1MB',
    'sendq>=1MiB',
    'sendq<=1024KiB',
    'sendq<2mib',
    'age>1m',
    'age<=61s',
    'state!=ok',
    'foreign!=11.',
    'SENDQ>0',
    'sendq>0.5MiB',
  ]
  const no = [
    'state=ok',
    'foreign=10.1',
    'sendq>1MiB',
    'sendq<1MiB',
    'age>2m',
    'state!=full',
    'foreign=-',
    'state>1',
  ]
  for (const text of yes) t.ok(filterOf(text, fields)(row), text)
  for (const text of no) t.notOk(filterOf(text, fields)(row), text)
  t.ok(filterOf('foreign=-', fields)({ ...row, foreign: null }))
  for (const text of [
    '',
    'state',
    '=x',
    'nope=1',
    'sendq>',
    'sendq>x',
    'sendq>1 parsec',
    'state~x',
    '__proto__=1',
  ])
    t.throws(() => filterOf(text, fields), { code: 'ERR_SEND_FAIL_FILTER' }, text)
  fc.assert(
    fc.property(fc.string(), (text) => {
      try {
        return typeof filterOf(text, LIVE_FIELDS) === 'function'
      } catch (error) {
        return error instanceof FilterError
      }
    }),
    { seed: 20_261_124, numRuns: 2000 },
  )
})

test('the largest number comes first, words from A, what has none last; reversed the other way round', async (t) => {
  const by = (name: string) => CLOSED_FIELDS.find((field) => field.name === name) as Field<never>
  const rows = [
    { cause: 'b', lost: 1 },
    { cause: null, lost: 3 },
    { cause: 'a', lost: 2 },
  ] as never[]
  const causes = (sort: string, reverse: boolean) => sorted(rows, by(sort), reverse).map(({ cause }) => cause)
  t.same(causes('lost', false), [null, 'a', 'b'])
  t.same(causes('lost', true), ['b', 'a', null])
  t.same(causes('cause', false), ['a', 'b', null])
  t.same(causes('cause', true), ['b', 'a', null])
})

test('a field goes by its name, or by that of its column', async (t) => {
  for (const text of ['sendq', 'Send-Q', 'send_q', 'SEND-Q'])
    t.equal(fieldCalled(text, LIVE_FIELDS)?.name, 'sendq', text)
  for (const text of ['by', 'closed-by', 'CLOSED BY'])
    t.equal(fieldCalled(text, CLOSED_FIELDS)?.name, 'by', text)
  for (const text of ['', 'queue', '__proto__', 'constructor'])
    t.equal(fieldCalled(text, LIVE_FIELDS), undefined, text)
})

test('a key names a connection among all processes', async (t) => {
  t.same(readKey('12.3'), { pid: 12, threadId: 0, id: 3 })
  t.same(readKey('12.4.3'), { pid: 12, threadId: 4, id: 3 })
  for (const key of ['', '12', '12.', '12.0', '0.1', '1.2.3.4', 'a.b', ' 1.1', '1.1\n'])
    t.equal(readKey(key), null, key)
})

test('a trend compares with the last look, and rates without one are those since the start', async (t) => {
  const nowMs = 100_000
  const [first] = whyOf([failing(100)], null, nowMs)
  t.match(first, { count: 100, share: 1, perSecond: 1, more: null, trend: null })
  const trend = (then: number, now: number) =>
    whyOf([failing(now)], lookAt([failing(then)], 90_000), nowMs)[0]
  t.match(trend(100, 100), { more: 0, perSecond: 0, trend: 'falling' })
  t.match(trend(100, 200), { more: 100, perSecond: 10, trend: 'rising' })
  t.match(trend(90, 100), { more: 10, perSecond: 1, trend: 'steady' })
  t.match(trend(0, 5), { more: 5, perSecond: 0.5, trend: 'rising' })
  const another = lookAt([failing(50, 2)], 90_000)
  t.match(
    whyOf([failing(100)], another, nowMs)[0],
    { more: null, trend: null },
    'another process was looked at',
  )
  t.equal(changeOf(failing(3), lookAt([failing(7)], 90_000), nowMs).failed(), 0, 'never fewer')
})

test('the last look is kept for a day, and what cannot be read is none', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'look-'))
  t.teardown(() => rmSync(directory, { recursive: true }))
  const file = join(directory, 'last-look')
  t.equal(readLook(directory, 0), null)
  const look = lookAt([failing(3)], 1000)
  writeLook(directory, look)
  t.same(readLook(directory, 2000), look)
  t.equal(statSync(file).mode & 0o777, 0o600)
  t.equal(readLook(directory, 1000 + 86_400_000), null, 'a day later')
  t.equal(readLook(directory, 500), null, 'the clock was set back')
  for (const text of ['', '{', '[]', '{"atMs":1}', '{"atMs":"x","processes":{}}']) {
    writeFileSync(file, text)
    t.equal(readLook(directory, 2000), null, text)
  }
  writeLook(join(directory, 'none'), look)
  t.equal(readFileSync(file, 'utf8').length > 0, true)
})

test('conditions', async (t) => {
  const processes = [
    { ...failing(10), connections: { ok: 5, burst: 1, slow: 2, stalled: 3 }, pendingBytes: 7 },
    { ...PROCESS, state: 'busy' as const },
  ]
  const is = (name: string) => metOf([conditionOf(`${name}=1`)], processes)[0]?.is ?? 0
  t.same(
    [
      'send_fail',
      'client_closed',
      'server_closed',
      'lost',
      'burst',
      'slow',
      'stalled',
      'backlogged',
      'pending_bytes',
      'silent',
    ].map(is),
    [10, 10, 0, 0, 1, 2, 3, 6, 7, 1],
  )
  t.same(metOf([conditionOf('slow=3')], processes), [])
})

test('the words of a status say what is the matter', async (t) => {
  const screen = screenOf({})
  const view = (process: Partial<Process>) =>
    statusView({ processes: [{ ...PROCESS, ...process }], last: null, nowMs: 60_000 }, screen).join('\n')
  const slow = { connections: 0, productionBytesPerSecond: 2048, drainBytesPerSecond: 1024, atMs: 50_000 }
  t.match(
    view({ slow }),
    /A client was slow 10s ago: the server produced 2 KiB\/s, the client took 1 KiB\/s\./,
  )
  t.match(
    view({ slow: { ...slow, connections: 2 } }),
    /2 clients slow: the server produces 2 KiB\/s, they take 1 KiB\/s\./,
  )
  t.match(
    view({ connections: { ok: 0, burst: 2, slow: 0, stalled: 0 }, pendingBytes: 1024 }),
    /No send has failed\. 2 clients behind, 1 KiB waiting\./,
  )
  t.match(
    view(failing(3)),
    /3 of 6 sends failed \(rates since each process started\):(.|\n)*No client is behind now\./,
  )
  const orphan = statusView(
    { processes: [{ ...PROCESS, primaryPid: 77 }], last: null, nowMs: 1 },
    screen,
  ).join('\n')
  t.match(orphan, /\n77 .*primary, does not publish\n {2}1 +one /)
})

test('colour is for terminals, unless NO_COLOR or FORCE_COLOR say otherwise', async (t) => {
  const coloured = (env: Record<string, string>, isTTY: boolean) => {
    const { FORCE_COLOR, NO_COLOR } = process.env
    Reflect.deleteProperty(process.env, 'FORCE_COLOR')
    Reflect.deleteProperty(process.env, 'NO_COLOR')
    Object.assign(process.env, env)
    const { bold } = screenOf({ isTTY })
    for (const name of Object.keys(env)) Reflect.deleteProperty(process.env, name)
    if (FORCE_COLOR !== undefined) Object.assign(process.env, { FORCE_COLOR })
    if (NO_COLOR !== undefined) Object.assign(process.env, { NO_COLOR })
    return bold('x') !== 'x'
  }
  t.equal(coloured({}, true), true)
  t.equal(coloured({}, false), false)
  t.equal(coloured({ NO_COLOR: '1' }, true), false)
  t.equal(coloured({ NO_COLOR: '' }, true), true)
  t.equal(coloured({ FORCE_COLOR: '1' }, false), true)
  t.equal(coloured({ FORCE_COLOR: '0' }, false), false)
  t.equal(coloured({ FORCE_COLOR: '1', NO_COLOR: '1' }, true), false)
  t.equal(screenOf({ isTTY: true }).width, 80)
  t.equal(screenOf({ isTTY: false, columns: 20 }).width, Number.POSITIVE_INFINITY)
})
