import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, readdirSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { join } from 'node:path'
import { snapshot } from '@sendfail/core'
import t, { type Test, test } from 'tap'
import { until } from '../../../core/test/fixtures/books.ts'
import {
  type ClosedDocument,
  type ConnectionDocument,
  type ConnectionsDocument,
  closedDocument,
  connectionDocument,
  connectionsDocument,
  type StatusDocument,
  statusDocument,
} from '../../src/cli/documents.ts'
import { factsPath, socketPath } from '../../src/directory.ts'
import { VERSION } from '../../src/version.ts'
import { directoryFor, environment, MAIN, run, start } from './run.ts'

const ESC = '\u001b'

t.setTimeout(180_000)

async function json<D>(directory: string, ...args: string[]): Promise<D> {
  const { out } = await run(directory, [...args, '--json'])
  return JSON.parse(out) as D
}

/** Looks until a status is as wanted; a client needs its time to be called slow. */
async function statusWhen(
  directory: string,
  wanted: (status: StatusDocument) => boolean,
): Promise<StatusDocument> {
  for (let look = 0; look < 60; look++) {
    const status = await json<StatusDocument>(directory, 'status')
    if (wanted(status)) return status
  }
  throw new Error(`never came true: ${wanted}`)
}

const showsAll = ({ total: { connections, failures } }: StatusDocument) =>
  connections.stalled === 1 &&
  connections.slow === 1 &&
  ['slow', 'stalled', 'burst', null].every((receiver) =>
    failures.some((failure) => failure.receiver === receiver),
  )

test('a busy server: what fails, why, and what to do, in each view', async (t) => {
  const directory = directoryFor(t)
  const server = await start(t, directory, 'chat.ts', 'chat')
  const status = await statusWhen(directory, showsAll)

  t.test('status --json is of its schema, and its books balance', async (t) => {
    t.same(statusDocument.strict().parse(status), status)
    const { attempted, failed, pending, sent } = status.total
    t.equal(attempted, sent + failed + pending)
    t.equal(
      status.why.reduce((sum, { count }) => sum + count, 0),
      failed,
    )
    t.ok(
      Math.abs(status.why.reduce((sum, { share }) => sum + share, 0) - 1) < 1e-9,
      'the shares make a whole',
    )
    t.match(status.processes, [{ pid: server.pid, name: 'chat', state: 'ok', threads: 1, primaryPid: null }])
    t.equal(status.processes[0]?.listening.length, 2)
  })

  t.test('status in words', async (t) => {
    const { code, err, out } = await run(directory, ['status'])
    t.equal(code, 0)
    t.equal(err, '')
    t.match(
      out,
      /^PID +NAME +UPTIME +MEMORY +LISTENING +CONNECTIONS +BACKLOGGED +PENDING +SENT +SEND_FAIL +FAIL\/S +STATE\n/,
    )
    t.match(out, new RegExp(`\\n${server.pid} +chat +.*127\\.0\\.0\\.1:\\d+ \\+1 +4 +[12] .* ok\\n`))
    t.match(out, /\nall +1 process /)
    t.match(out, /\n[\d,]+ of [\d,]+ sends failed \(rates and trend since the last look, .* ago\):\n/)
    t.match(
      out,
      /\nbuffer_full, stalled +refused +[\d,]+ +\S+ % +\S+ +[↑↓→] \+[\d,]+\n {4}The client stopped receiving/,
    )
    t.match(out, /\nbuffer_full, slow +refused .*\n {4}The client is continuously slower/)
    t.match(out, /\nclient_closed +refused .*\n {4}The client closed first: normal/)
    t.match(out, /\n1 client stalled: not one byte left for up to .*s\.\n/)
    // the kernel takes megabytes at a time: for a moment even a slow client is not behind
    t.match(
      out,
      /\n(1 client slow: the server produces|A client was slow .* ago: the server produced) .*B\/s, the client (takes|took) .*B\/s\.\n/,
    )
    t.notOk(out.includes(ESC), 'no colour in a pipe')
  })

  t.test('connections', async (t) => {
    const document = await json<ConnectionsDocument>(directory, 'connections')
    t.same(connectionsDocument.strict().parse(document), document)
    t.equal(document.connections.length, 4)
    const [first] = document.connections
    t.match(first, { state: 'full', name: 'chat', pid: server.pid }, 'the biggest Send-Q first')
    const { out } = await run(directory, ['connections', '--sort', 'id'])
    t.match(
      out,
      /^ *PID +ID +PROTOCOL +STATE +RECEIVER +SEND-Q +LIMIT +SENT +FAILED +OUT +IN +AGE +LOCAL +FOREIGN\n/,
    )
    t.match(out, /\n *\d+ +\d+\.1 +tcp +ok +ok +0 B +4 MiB /)
    t.match(out, /\n *\d+ +\d+\.\d +websocket +ok /)
    t.match(out, /\n4 connections\n$/)
    const stalled = await json<ConnectionsDocument>(directory, 'connections', '--filter', 'state=stalled')
    t.match(stalled, { all: 4, matching: 1, connections: [{ receiver: 'stalled' }] })
    const both = ['--filter', 'protocol=tcp', '--filter', 'failed>=100', '--sort', 'failed', '--reverse']
    const limited = await json<ConnectionsDocument>(directory, 'connections', ...both, '--limit', '1')
    t.match(limited, { matching: 2, connections: { length: 1 } })
    t.not(limited.connections[0]?.key, stalled.connections[0]?.key, 'the slow one fails less often')
    t.match(
      (await run(directory, ['connections', '--limit', '1'])).out,
      /\n4 connections, 3 not shown \(--limit\)\n$/,
    )
    t.match(
      (await run(directory, ['connections', '--filter', 'pid=1'])).out,
      /^None of 4 connections matches\.\n$/,
    )
  })

  t.test('connections --closed', async (t) => {
    const document = await json<ClosedDocument>(directory, 'connections', '--closed')
    t.same(closedDocument.strict().parse(document), document)
    t.match(document.connections, [
      { closedBy: 'client', cause: 'ECONNRESET', failures: [{ reason: 'client_closed', stage: 'refused' }] },
    ])
    const { out } = await run(directory, ['connections', '--closed'])
    t.match(out, /CLOSED BY +CAUSE +LOST .*\n.* ago +client +ECONNRESET +\d+ /)
  })

  t.test('inspect', async (t) => {
    const { connections } = await json<ConnectionsDocument>(
      directory,
      'connections',
      '--filter',
      'state=stalled',
    )
    const key = String(connections[0]?.key)
    const document = await json<ConnectionDocument>(directory, 'inspect', key)
    t.same(connectionDocument.strict().parse(document), document)
    const { out } = await run(directory, ['inspect', key])
    t.match(out, new RegExp(`^connection ${key}\n +process +${server.pid} chat\n`))
    t.match(out, /\n +attempted +[\d,]+ = [\d,]+ sent \+ [\d,]+ failed \+ [\d,]+ pending\n/)
    t.match(
      out,
      /\n +state +full, receiver stalled\n +backlog +for .*s; the server produces .*; a byte last left .* ago\n/,
    )
    t.match(out, /\nWhat happened\n +\S+ \S+ +wrapped, 0 B pending\n +\S+ \S+ +reached its limit, /)
    const [gone] = (await json<ClosedDocument>(directory, 'connections', '--closed')).connections
    t.match(
      (await run(directory, ['inspect', String(gone?.key)])).out,
      /\n +closed +\S+ \S+, by client \(ECONNRESET\)\n +lost +/,
    )
  })

  t.test('--fail-on', async (t) => {
    const met = await run(directory, [
      'status',
      '--fail-on',
      'stalled=1',
      '--fail-on',
      'slow=9',
      '--fail-on',
      'client_closed=1',
    ])
    t.match(met, { code: 3, err: 'stalled is 1, at least 1\nclient_closed is 1, at least 1\n' })
    t.equal(
      (await run(directory, ['status', '--fail-on', 'server_closed=1', '--fail-on', 'silent=1'])).code,
      0,
    )
    const names = ['send_fail', 'lost', 'backlogged', 'pending_bytes', 'buffer_full', 'burst']
    const all = await run(directory, [
      'status',
      ...names.flatMap((name) => ['--fail-on', `${name}=1000000000000`]),
    ])
    t.equal(all.code, 0)
  })

  t.test('--watch into a pipe goes on, one document a line with --json', async (t) => {
    const child = spawn(process.execPath, [MAIN, 'status', '--watch', '0.2', '--json'], {
      env: environment(directory),
    })
    let text = ''
    child.stdout.setEncoding('utf8').on('data', (chunk) => {
      text += chunk
    })
    await until(() => text.split('\n').length > 3)
    child.stdout.destroy() // a reader that goes away
    const [code] = await once(child, 'close')
    t.equal(code, 0, 'a closed pipe is no error')
    for (const line of text.split('\n').slice(0, 3)) t.ok(statusDocument.strict().parse(JSON.parse(line)))
  })
})

test('a server with nothing wrong is one line', async (t) => {
  const directory = directoryFor(t)
  await start(t, directory, 'chat.ts', 'calm', 'quiet')
  const { code, out } = await run(directory, ['status'])
  t.equal(code, 0)
  t.match(out, /\n\nNothing is wrong: no send has failed, and no client is behind\.\n$/)
  t.match((await run(directory, ['connections', '--closed'])).out, /^No connection has closed since/)
  const coloured = await run(directory, ['status'], { FORCE_COLOR: '1' })
  t.ok(coloured.out.includes(`${ESC}[32mNothing is wrong`))
  t.notOk((await run(directory, ['status'], { FORCE_COLOR: '1', NO_COLOR: '1' })).out.includes(ESC))
})

test('an idle process with 50,000 connections lists them all', async (t) => {
  const directory = directoryFor(t)
  await start(t, directory, 'crowd.ts', '50000')
  const document = await json<ConnectionsDocument>(directory, 'connections', '--limit', '3')
  t.match(document, { all: 50_000, matching: 50_000, silent: [], connections: { length: 3 } })
})

test('workers of a cluster stand behind their primary, threads are parts of their process', async (t) => {
  const directory = directoryFor(t)
  const primary = await start(t, directory, 'many.ts')
  const status = await statusWhen(directory, ({ processes }) => processes[0]?.threads === 2)
  t.match(status.processes, [
    { pid: primary.pid, name: 'many', threads: 2, primaryPid: null },
    { name: 'many, a worker', threads: 1, primaryPid: primary.pid },
    { name: 'many, a worker', threads: 1, primaryPid: primary.pid },
  ])
  t.equal(status.total.connections.ok, 8)
  const { out } = await run(directory, ['status'])
  t.match(
    out,
    new RegExp(
      `\\n${primary.pid} +many \\(2 threads\\) .*\\n {2}\\d+ +many, a worker .*\\n {2}\\d+ +many, a worker `,
    ),
  )
  const { connections } = await json<ConnectionsDocument>(directory, 'connections')
  t.equal(connections.length, 8)
  const [{ key } = { key: '' }] = connections
  t.match(await json<ConnectionDocument>(directory, 'inspect', key), { key })
})

test('a process that does not answer is shown as such, and the others all the same', async (t) => {
  const directory = directoryFor(t)
  const spinning = await start(t, directory, 'chat.ts', 'spinning', 'quiet')
  const stopped = await start(t, directory, 'chat.ts', 'stopped', 'quiet')
  await start(t, directory, 'chat.ts', 'well', 'quiet')
  spinning.send('spin')
  stopped.kill('SIGSTOP')
  const { processes } = await statusWhen(directory, (status) => status.processes[0]?.state === 'busy')
  t.match(processes, [
    { name: 'spinning', state: 'busy', startedAtMs: null },
    { name: 'stopped', state: process.platform === 'linux' ? 'stopped' : 'busy' },
    { name: 'well', state: 'ok' },
  ])
  const { code, out } = await run(directory, ['status', '--fail-on', 'silent=2'])
  t.equal(code, 3)
  t.match(
    out,
    /spinning +- +- +- +- +- +- +- +- +- +busy: no answer within 1 s\n/,
    'what it did not say is no number',
  )
  t.match(out, /\n2 of 3 processes did not answer: what fails there is not in these numbers\.\n/)
  t.notMatch(out, /Nothing is wrong/)
  t.match((await run(directory, ['connections'])).out, /\nProcess \d+ \(spinning\) is not listed: busy\.\n/)
  stopped.kill('SIGKILL')
  spinning.kill('SIGKILL')
  await Promise.all([once(stopped, 'exit'), once(spinning, 'exit')])
  t.match(await json<StatusDocument>(directory, 'status'), { processes: [{ name: 'well', state: 'ok' }] })
  t.equal(readdirSync(directory).filter((file) => file.endsWith('.sock')).length, 1, 'what they left is gone')
})

// --- what no server of ours would answer

const FACTS = {
  v: 1,
  pid: process.pid,
  threadId: 0,
  name: 'odd',
  startedAtMs: 1,
  publishedAtMs: 2,
  node: 'v20',
  sendfail: '0.1.0',
  cluster: null,
}
const { series: _series, ...books } = snapshot()
const STATUS = {
  ...books,
  series: [],
  uptimeMs: 1000,
  rssBytes: 1,
  listening: [],
  slow: null,
  stalled: { connections: 0, longestMs: 0 },
}
const HEAD = { v: 1, kind: 'status', publisher: FACTS, atMs: 3, status: STATUS }
const END = { end: true, rows: 0 }
const lines = (...values: unknown[]) => values.map((value) => `${JSON.stringify(value)}\n`).join('')

/** Publishes as this process, and answers everybody with `text`; keeps silent with `null`. */
async function odd(
  t: Test,
  directory: string,
  text: string | null,
  facts: object = FACTS,
  name = `${process.pid}-0`,
): Promise<void> {
  const server = net.createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', () => {
      if (text !== null) socket.end(text)
    })
  })
  server.listen(socketPath(directory, name))
  await once(server, 'listening')
  writeFileSync(factsPath(directory, name), typeof facts === 'string' ? facts : JSON.stringify(facts))
  t.teardown(() => server.close())
}

for (const [what, text, state, words] of [
  ['that is cut off before its head', '', 'died', /died while it answered/],
  ['that is cut off before its end', lines(HEAD), 'died', /died while it answered/],
  ['that is no JSON', 'hello\n', 'unreadable', /cannot be read/],
  ['with an endless line', 'x'.repeat(2 ** 20 + 1), 'unreadable', /cannot be read/],
  ['without what belongs there', lines({ ...HEAD, publisher: {} }, END), 'unreadable', /cannot be read/],
  ['with fewer rows than it says', lines(HEAD, { end: true, rows: 3 }), 'unreadable', /cannot be read/],
  [
    'of a newer version',
    lines({ v: 2 }, END),
    'version',
    /newer than this command \(2 > 1\): update the command/,
  ],
  [
    'of an older version',
    lines({ v: 0 }, END),
    'version',
    /older than this command \(0 < 1\): update sendfail there/,
  ],
  ['that it has too many readers', lines({ end: true, rows: 0, error: 'busy' }), 'busy', /busy/],
] as const) {
  test(`an answer ${what} is ${state}`, async (t) => {
    const directory = directoryFor(t)
    await odd(t, directory, text)
    t.match(await json<StatusDocument>(directory, 'status'), {
      processes: [{ pid: process.pid, name: 'odd', state }],
    })
    t.match((await run(directory, ['status'])).out, words)
    t.match(await run(directory, ['inspect', `${process.pid}.1`]), { code: 1, err: /does not answer/ })
  })
}

test('a process that goes on saying something but no line is busy, and not waited for', async (t) => {
  const directory = directoryFor(t)
  const server = net.createServer((socket) => {
    const timer = setInterval(() => socket.write(' '), 50)
    socket.on('error', () => {})
    socket.on('close', () => clearInterval(timer))
  })
  server.listen(socketPath(directory, `${process.pid}-0`))
  await once(server, 'listening')
  t.teardown(() => server.close())
  writeFileSync(factsPath(directory, `${process.pid}-0`), JSON.stringify(FACTS))
  t.match(await json<StatusDocument>(directory, 'status'), { processes: [{ name: 'odd', state: 'busy' }] })
})

test('facts of another version, or that are none, still name the process', async (t) => {
  const directory = directoryFor(t)
  await odd(t, directory, null, { v: 7, pid: 1, name: 'from the future', other: true })
  t.match(await json<StatusDocument>(directory, 'status'), {
    processes: [{ pid: process.pid, name: 'from the future', state: 'version', v: 7 }],
  })
  const second = directoryFor(t)
  await odd(t, second, lines(HEAD, END), '{ broken' as never)
  t.match(await json<StatusDocument>(second, 'status'), { processes: [{ pid: process.pid, state: 'ok' }] })
  writeFileSync(join(second, 'notes.json'), 'not ours')
  writeFileSync(join(second, 'x-1.json'), 'nor this')
  t.match(await json<StatusDocument>(second, 'status'), { processes: { length: 1 } })
})

test('names and addresses of others cannot speak to the terminal', async (t) => {
  const directory = directoryFor(t)
  const evil = '\u001b[2Jx\u009b1m\u202egpj.exe\u0007\n\u200b'
  await odd(
    t,
    directory,
    lines({ ...HEAD, publisher: { ...FACTS, name: evil }, status: { ...STATUS, listening: [evil] } }, END),
    { ...FACTS, name: evil },
  )
  for (const args of [['status'], ['status', '--json']]) {
    const { out } = await run(directory, args)
    t.match(out, /x.?1m.?gpj\.exe/)
    t.notMatch(out.replaceAll('\n', ''), /[\p{Cc}\p{Cf}]/u)
  }
})

test('a socket that nobody listens on any more is silently removed, and so are its facts', async (t) => {
  const directory = directoryFor(t)
  const dead = spawn(process.execPath, ['-e', ''])
  await once(dead, 'exit')
  const name = `${dead.pid}-0`
  writeFileSync(factsPath(directory, name), JSON.stringify({ ...FACTS, pid: dead.pid }))
  writeFileSync(socketPath(directory, name), '')
  t.match(await run(directory, ['status']), { code: 2, err: '' })
  t.notOk(existsSync(factsPath(directory, name)))
  await odd(t, directory, lines(HEAD, END))
  writeFileSync(factsPath(directory, `${process.pid}-9`), JSON.stringify(FACTS))
  t.match(await json<StatusDocument>(directory, 'status'), { processes: { length: 1 } })
  t.ok(existsSync(factsPath(directory, `${process.pid}-9`)), 'of a process that lives nothing is removed')
})

test('two hundred processes are asked at once', async (t) => {
  const directory = directoryFor(t)
  for (let at = 0; at < 200; at++)
    await odd(
      t,
      directory,
      lines({ ...HEAD, publisher: { ...FACTS, threadId: at } }, END),
      FACTS,
      `${100_000 + at}-${at}`,
    )
  const { processes } = await json<StatusDocument>(directory, 'status')
  t.equal(processes.length, 200)
  t.ok(processes.every(({ state }) => state === 'ok'))
})

// --- mistakes

test('nothing that publishes is exit 2 and says how to', async (t) => {
  const directory = directoryFor(t)
  for (const args of [
    ['status'],
    ['connections'],
    ['connections', '--closed'],
    ['status', '--dir', join(directory, 'none')],
  ]) {
    const { code, out } = await run(directory, args)
    t.equal(code, 2)
    t.match(out, /^No process of this user publishes its status in .*\n.*publishStatus/)
  }
})

test('a directory that others can enter is refused', async (t) => {
  const directory = directoryFor(t)
  chmodSync(directory, 0o755)
  for (const args of [['status'], ['connections'], ['inspect', '1.1']])
    t.match(await run(directory, args), {
      code: 2,
      out: '',
      err: /^error: .* can be entered by others \(chmod 700/,
    })
})

test('a wrong word is exit 1 and says what would be right', async (t) => {
  const directory = directoryFor(t)
  const cases: [args: string[], err: RegExp][] = [
    [['stats'], /unknown command 'stats'/],
    [['status', '--wat'], /unknown option '--wat'/],
    [['status', 'x'], /too many arguments/],
    [['status', '--watch', '0'], /It takes 0\.2 to 86400 seconds/],
    [['status', '--fail-on', 'stalled'], /a condition is <name>=<number of at least 1>.*got stalled/],
    [['status', '--fail-on', 'nothing=1'], /Names: send_fail, lost, client_closed/],
    [['status', '--fail-on', 'stalled=0'], /at least 1/],
    [['connections', '--sort', 'size'], /--sort takes pid, id, .*got size/],
    [['connections', '--limit', '-1'], /It takes a positive integer/],
    [['connections', '--filter', 'size>1'], /a filter is <field>.*got size>1\. Fields: pid, id/],
    [['connections', '--filter', 'sendq>much'], /> compares numbers.*got sendq>much/],
    [['connections', '--closed', '--filter', 'sendq>1'], /Fields: pid, id, protocol, age, by/],
    [['inspect'], /missing required argument 'id'/],
    [['inspect', '12'], /12 is no id; ids look like 4711\.12/],
    [['inspect', '1.1'], /no process 1 publishes/],
  ]
  for (const [args, err] of cases) t.match(await run(directory, args), { code: 1, err }, args.join(' '))
  await odd(t, directory, lines({ ...HEAD, kind: 'connection' }, { ...END, error: 'not_found' }))
  t.match(await run(directory, ['inspect', `${process.pid}.3`]), { code: 1, err: /knows no connection/ })
  t.match(await run(directory, ['--version']), { code: 0, out: `${VERSION}\n` })
  t.match(await run(directory, ['connections', '--help']), { code: 0, out: /Examples:\n/ })
})
