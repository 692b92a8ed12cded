import { execFile, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { registry, snapshot, wrapSocket } from '@sendfail/core'
import { wrapServer } from '@sendfail/net'
import t, { type Test, test } from 'tap'
import { openLink } from '../../../test/fixtures/link.ts'
import { until } from '../../core/test/fixtures/books.ts'
import { stopClock } from '../../core/test/fixtures/clock.ts'
import {
  checkDirectory,
  DIRECTORY_VARIABLE,
  DirectoryError,
  factsPath,
  makeDirectory,
  socketPath,
  statusDirectory,
} from '../src/directory.ts'
import { publishStatus, type StatusHandle } from '../src/index.ts'
import {
  CLOSED_KEPT,
  type ClosedRow,
  type ConnectionRow,
  type End,
  type Head,
  PROTOCOL_VERSION,
  type Story,
} from '../src/protocol.ts'
import { VERSION } from '../src/version.ts'

const MB = 1024 * 1024
const NAME = `${process.pid}-0`
const loader = new URL('../../../scripts/typescript.mjs', import.meta.url).href
const program = (name: string) => fileURLToPath(new URL(`programs/${name}`, import.meta.url))

t.setTimeout(120_000)

/** A directory of the test's own, and this process publishing in it. */
async function published(t: Test, name = 'the test'): Promise<{ directory: string; handle: StatusHandle }> {
  const directory = directoryOf(t)
  const handle = publishStatus({ name })
  t.teardown(() => handle.stop())
  t.equal(await handle.ready, true)
  return { directory, handle }
}

function directoryOf(t: Test): string {
  const parent = mkdtempSync(join(tmpdir(), 'publish-')) // the path of a socket must be short
  t.teardown(() => rmSync(parent, { recursive: true, force: true }))
  const directory = join(parent, 'd')
  const { SENDFAIL_STATUS_DIR: before } = process.env
  publishIn(directory)
  t.teardown(() => publishIn(before))
  return directory
}

function publishIn(directory: string | undefined): void {
  if (directory === undefined) Reflect.deleteProperty(process.env, DIRECTORY_VARIABLE)
  else Object.assign(process.env, { [DIRECTORY_VARIABLE]: directory })
}

interface Answered {
  head: Head
  rows: object[]
  end: End
}

/** What is answered to one line. */
async function ask(directory: string, request: object | string, name = NAME): Promise<Answered> {
  const text = await talk(
    directory,
    `${typeof request === 'string' ? request : JSON.stringify(request)}\n`,
    name,
  )
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  return { head: lines[0], rows: lines.slice(1, -1), end: lines.at(-1) }
}

async function talk(directory: string, text: string, name = NAME): Promise<string> {
  const socket = net.connect(socketPath(directory, name))
  socket.setEncoding('utf8')
  let received = ''
  socket.on('data', (chunk) => {
    received += chunk
  })
  socket.on('error', () => {})
  socket.write(text)
  await once(socket, 'close')
  return received
}

const get = (what: string, id?: number) => ({
  v: PROTOCOL_VERSION,
  get: what,
  ...(id === undefined ? {} : { id }),
})

test('status: the books of the thread are those of snapshot(), with who publishes', async (t) => {
  const { directory } = await published(t)
  const server = net.createServer()
  const handle = wrapServer(server, MB)
  t.teardown(() => {
    handle.stop()
    server.close()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { head, rows, end } = await ask(directory, get('status'))
  t.strictSame(end, { end: true, rows: 0 })
  t.strictSame(rows, [])
  t.match(head, { v: 1, kind: 'status' })
  t.match(head.publisher, {
    v: 1,
    pid: process.pid,
    threadId: 0,
    name: 'the test',
    node: process.version,
    sendfail: VERSION,
    cluster: null,
  })
  t.strictSame(JSON.parse(readFileSync(factsPath(directory, NAME), 'utf8')), head.publisher)
  const { series, ...totals } = snapshot()
  t.match(head.status, totals)
  t.strictSame(head.status?.series, series)
  t.same(head.status?.listening, [`127.0.0.1:${(server.address() as net.AddressInfo).port}`])
  t.match(head.status, { slow: null, stalled: { connections: 0, longestMs: 0 } })
})

for (const kind of ['tcp', 'ws'] as const) {
  test(`${kind}: a connection is listed while it lives, and as closed with what was lost`, async (t) => {
    const { directory } = await published(t)
    const advance = stopClock(t)
    const link = await openLink(kind)
    t.teardown(() => link.dispose())
    wrapSocket(link.socket as net.Socket, MB)
    const send = (data: Buffer) =>
      (link.socket as never as Record<string, (data: Buffer) => void>)[kind === 'ws' ? 'send' : 'write']?.(
        data,
      )
    link.peer.pause()
    const row = async () => (await ask(directory, get('connections'))).rows[0] as ConnectionRow
    t.match(await row(), {
      state: 'ok',
      receiver: 'ok',
      pendingBytes: 0,
      sent: 0,
      limitBytes: MB,
      backlog: null,
      failures: [],
      local: `127.0.0.1:${link.under.localPort}`,
      foreign: `127.0.0.1:${link.under.remotePort}`,
    })
    send(Buffer.alloc(32 * MB))
    send(Buffer.alloc(100))
    const { id } = await row()
    t.match(await row(), {
      state: 'full',
      receiver: 'burst',
      pending: 1,
      pendingBytes: 32 * MB,
      failed: 1,
      failedBytes: 100,
      fullCount: 1,
    })
    advance(6000)
    send(Buffer.alloc(100))
    t.match(await row(), { state: 'full', receiver: 'slow', backlog: { ageMs: 6000 } })
    const slow = await ask(directory, get('status'))
    t.match(slow.head.status?.slow, { connections: 1 })
    t.ok(Number(slow.head.status?.slow?.productionBytesPerSecond) > 5 * MB)
    advance(40_000)
    const stalled = await ask(directory, get('status'))
    t.match(stalled.head.status, { stalled: { connections: 1, longestMs: 46_000 }, slow: { connections: 0 } })
    const open = (await ask(directory, get('connection', id))).rows[0] as Story
    t.match(open, {
      live: { id, receiver: 'stalled' },
      onFull: 'drop',
      admission: 'lenient',
      closeAfterFullMs: null,
      closeAfterStallMs: null,
      slowAfterMs: 5000,
      stallAfterMs: 30_000,
      forgotten: 0,
    })
    t.match(
      open.moments.map(({ event }) => event),
      ['opened', 'full'],
    )
    link.under.destroy()
    await link.closed
    t.strictSame((await ask(directory, get('connections'))).rows, [])
    const { rows } = await ask(directory, get('closed'))
    t.equal(rows.length, 1)
    t.match(rows[0], { id, closedBy: 'server', cause: null, lost: 1, lostBytes: 32 * MB, failed: 3 })
    send(Buffer.alloc(7))
    const [late] = (await ask(directory, get('closed'))).rows as ClosedRow[]
    t.match(late, { failed: 4, lost: 1 }, 'a send that failed after the end is counted')
    const gone = (await ask(directory, get('connection', id))).rows[0] as Story
    t.match(gone, { closed: { id } })
    t.match(
      gone.moments.map(({ event }) => event),
      ['opened', 'full', 'closed'],
    )
    t.strictSame((await ask(directory, get('connection', 999))).end, {
      end: true,
      rows: 0,
      error: 'not_found',
    })
  })
}

test('of the moments of a connection the newest are kept', async (t) => {
  const { directory } = await published(t)
  const link = await openLink('tcp')
  t.teardown(() => link.dispose())
  wrapSocket(link.socket, 1000)
  for (let round = 0; round < 30; round++) {
    link.socket.cork()
    link.socket.write(Buffer.alloc(2000))
    link.socket.uncork()
    await once(link.socket, 'drain')
  }
  const [row] = (await ask(directory, get('connections'))).rows as ConnectionRow[]
  const [story] = (await ask(directory, get('connection', row?.id))).rows as Story[]
  t.equal(story?.forgotten, 20)
  t.equal(story?.moments.length, 41)
  t.equal(story?.moments[0]?.event, 'opened')
  t.equal(story?.moments.at(-1)?.event, 'drained')
})

test(`the ${CLOSED_KEPT} that closed last are remembered, and their sockets are not kept`, async (t) => {
  const { directory } = await published(t)
  for (let at = 0; at < 2 * CLOSED_KEPT + 10; at++) wrapSocket(new net.Socket()).destroy()
  const { rows } = await ask(directory, get('closed'))
  t.equal(rows.length, CLOSED_KEPT)
  t.equal((rows.at(-1) as ClosedRow).id, 2 * CLOSED_KEPT + 10)
})

test('a watcher that fails is a warning, and the send path goes on', async (t) => {
  const { directory } = await published(t)
  const warned = once(process, 'warning')
  const link = await openLink('tcp')
  t.teardown(() => link.dispose())
  Object.defineProperty(link.socket, 'server', {
    get: () => {
      throw new Error('no')
    },
    configurable: true,
  })
  wrapSocket(link.socket).write('x')
  t.match((await warned)[0], { code: 'ERR_SEND_FAIL_STATUS', message: /no$/ })
  delete (link.socket as { server?: unknown }).server
  t.equal((await ask(directory, get('connections'))).rows.length, 1)
})

test('a socket that throws when it is asked cuts the answer off, and the process goes on', async (t) => {
  const { directory } = await published(t)
  const link = await openLink('tcp')
  t.teardown(() => link.dispose())
  wrapSocket(link.socket)
  Object.defineProperty(link.socket, 'bytesRead', {
    configurable: true,
    get: () => {
      throw new Error('no')
    },
  })
  t.notMatch(await talk(directory, `${JSON.stringify(get('connections'))}\n`), /"end":true/)
  delete (link.socket as { bytesRead?: unknown }).bytesRead
  t.equal((await ask(directory, get('connections'))).rows.length, 1)
})

// --- what a reader may send

test('anything but a request is told so', async (t) => {
  const { directory } = await published(t)
  for (const line of [
    '',
    '{',
    'null',
    '[]',
    '7',
    '"status"',
    '{"v":1}',
    '{"v":1,"get":"stop"}',
    '{"v":1,"get":"__proto__"}',
    `{"v":1,"get":"status","x":"${'x'.repeat(1100)}"}`,
    '{"get":"status"}',
    '{"v":"1","get":"status"}',
  ]) {
    const { end, rows } = await ask(directory, line)
    t.strictSame([rows, end], [[], { end: true, rows: 0, error: 'request' }], line.slice(0, 40))
  }
  t.match(await ask(directory, { v: 2, get: 'status' }), { head: { v: 1 }, end: { error: 'version' } })
  t.match(await ask(directory, { v: 1, get: 'connection', id: 'x' }), { end: { error: 'not_found' } })
  t.match(
    await talk(directory, 'x'.repeat(5000)),
    /"error":"request"/,
    'an endless line is not read to its end',
  )
})

test('a ninth reader is told that it is busy, and one that says nothing is cut off', async (t) => {
  const { directory } = await published(t)
  const silent = Array.from({ length: 8 }, () => net.connect(socketPath(directory, NAME)))
  await Promise.all(silent.map((socket) => once(socket, 'connect')))
  await new Promise(setImmediate)
  t.match(await talk(directory, `${JSON.stringify(get('status'))}\n`), /"error":"busy"/)
  await Promise.all(silent.map((socket) => once(socket.resume(), 'close')))
  t.match((await ask(directory, get('status'))).end, { end: true, rows: 0 })
})

test('a reader that does not read holds nothing up and is cut off', async (t) => {
  const { directory } = await published(t)
  const sockets = Array.from({ length: 3000 }, () => wrapSocket(new net.Socket()))
  const lazy = net.connect(socketPath(directory, NAME)).pause()
  lazy.write(`${JSON.stringify(get('connections'))}\n`)
  t.equal((await ask(directory, get('connections'))).rows.length, 3000)
  for (const socket of sockets) socket.destroy()
  lazy.resume()
  lazy.destroy()
})

// --- where it is published

test('the directory is made for this user alone, and the files go when it is stopped', async (t) => {
  const { directory, handle } = await published(t)
  t.equal(lstatSync(directory).mode & 0o777, 0o700)
  t.equal(lstatSync(factsPath(directory, NAME)).mode & 0o777, 0o600)
  t.strictSame(readdirSync(directory).sort(), [`${NAME}.json`, `${NAME}.sock`])
  await handle.stop()
  await handle.stop()
  t.strictSame(readdirSync(directory), [])
  t.equal(registry.watcher, null)
})

test('a second call changes nothing; after stop() a new one begins', async (t) => {
  const { handle } = await published(t)
  t.equal(publishStatus({ name: 'another' }), handle)
  await handle.stop()
  const next = publishStatus()
  t.not(next, handle)
  t.equal(await next.ready, true)
  await next.stop()
})

test('what is not ours, or others can enter, is refused with a warning and no error', async (t) => {
  const base = join(directoryOf(t), '..')
  writeFileSync(join(base, 'file'), '')
  for (const name of ['open', 'target']) mkdirSync(join(base, name))
  chmodSync(join(base, 'open'), 0o755)
  chmodSync(join(base, 'target'), 0o700)
  symlinkSync(join(base, 'target'), join(base, 'link'))
  mkdirSync(join(base, 'foreign'), { mode: 0o700 })
  const cases: [name: string, message: RegExp][] = [
    ['file', /is no directory/],
    ['open', /can be entered by others \(chmod 700/],
    ['link', /is no directory/],
    ['missing/below', /cannot be made: ENOENT/],
    ['x'.repeat(80), /is too long for the path of a socket: at most 80 bytes/],
  ]
  for (const [name, message] of cases) {
    t.throws(() => makeDirectory(join(base, name)), { code: 'ERR_SEND_FAIL_STATUS', message })
    publishIn(join(base, name))
    const warned = once(process, 'warning')
    const handle = publishStatus()
    t.equal(await handle.ready, false)
    t.match((await warned)[0], { name: 'SendFailWarning', code: 'ERR_SEND_FAIL_STATUS', message })
    await handle.stop()
  }
  const { getuid } = process
  process.getuid = () => 12_345
  t.throws(() => checkDirectory(join(base, 'foreign')), /belongs to user \d+, not to 12345/)
  process.getuid = getuid as () => number
  t.equal(checkDirectory(join(base, 'none')), false)
  t.ok(new DirectoryError('x') instanceof Error)
  publishIn(undefined)
  t.equal(statusDirectory(), `/tmp/sendfail-${getuid?.()}`)
})

test('a socket file that a killed process left does not stand in the way, one in use does', async (t) => {
  const directory = directoryOf(t)
  makeDirectory(directory)
  const path = socketPath(directory, NAME)
  const script = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`
  await once(spawn(process.execPath, ['-e', script]), 'close')
  t.equal(existsSync(path), true, 'it left its socket')
  const handle = publishStatus()
  t.equal(await handle.ready, true)
  t.match((await ask(directory, get('status'))).end, { end: true })
  await handle.stop()

  const other = net.createServer((socket) => socket.destroy()).listen(path)
  await once(other, 'listening')
  const second = publishStatus()
  t.equal(await second.ready, true)
  t.match((await ask(directory, get('status'), `${NAME}-1`)).end, { end: true })
  await second.stop()
  other.close()
})

test('wrong options throw and say what was received', async (t) => {
  const cases: [options: unknown, message: string][] = [
    [null, 'options must be an object like { name }; received null'],
    [[], 'options must be an object like { name }; received an object (Array)'],
    ['x', "options must be an object like { name }; received 'x'"],
    [{ name: '' }, "name must be a string of 1 to 100 characters; received ''"],
    [{ name: 7 }, 'name must be a string of 1 to 100 characters; received 7'],
    [
      { name: 'x'.repeat(101) },
      `name must be a string of 1 to 100 characters; received '${'x'.repeat(76)}...`,
    ],
    [{ nam: 'x' }, "nam must be absent (the options are listening, name); received 'x'"],
    [
      { listening: '0.0.0.0:1' },
      "listening must be an array, each of it a string of 1 to 100 characters; received '0.0.0.0:1'",
    ],
    [
      { listening: [1] },
      'listening must be an array, each of it a string of 1 to 100 characters; received an object (Array)',
    ],
  ]
  for (const [options, message] of cases) {
    t.throws(() => publishStatus(options as never), {
      name: 'TypeError',
      code: 'ERR_SEND_FAIL_OPTION',
      message,
    })
  }
})

// --- what it does to the process

function run(file: string, directory: string, ...args: string[]): Promise<string> {
  const argv = ['--conditions=@sendfail/source', `--import=${loader}`, program(file), ...args]
  const env = { ...process.env, SENDFAIL_STATUS_DIR: directory }
  return new Promise((resolve, reject) =>
    execFile(process.execPath, argv, { timeout: 60_000, env }, (error, stdout) =>
      error === null ? resolve(stdout) : reject(error),
    ),
  )
}

test('a process that only publishes exits by itself, takes its files with it, and has loaded no other package', async (t) => {
  const directory = directoryOf(t)
  const { others, files } = JSON.parse(await run('publish-only.ts', directory))
  t.equal(files, 2)
  t.strictSame(others, [])
  t.strictSame(readdirSync(directory), [])
})

test('what publishes imports Node, core and nothing of the command', async (t) => {
  const seen = new Set<string>()
  const visit = (file: string) => {
    if (seen.has(file)) return
    seen.add(file)
    const text = readFileSync(fileURLToPath(new URL(`../src/${file}`, import.meta.url)), 'utf8')
    for (const [, from = ''] of text.matchAll(/(?:\bfrom|^import) '([^']+)'$/gm)) {
      if (from.startsWith('./')) visit(from.slice(2))
      else t.match(from, /^(node:\w+|@sendfail\/core)$/, `${file} imports ${from}`)
    }
  }
  visit('index.ts')
  t.ok(seen.size > 8, `${seen.size} files`)
  t.notOk([...seen].some((file) => file.startsWith('command/')))
})

test('threads and workers of a cluster publish each for itself', async (t) => {
  const directory = directoryOf(t)
  const argv = {
    execArgv: ['--conditions=@sendfail/source', `--import=${loader}`],
    env: { ...process.env, SENDFAIL_STATUS_DIR: directory },
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'] as never,
  }
  const child = fork(program('many.ts'), argv)
  t.teardown(() => child.kill('SIGKILL'))
  await once(child, 'message')
  await until(() => readdirSync(directory).filter((name) => name.endsWith('.json')).length === 4)
  const facts = readdirSync(directory)
    .filter((name) => name.endsWith('.json'))
    .map((name) => JSON.parse(readFileSync(join(directory, name), 'utf8')))
  const roles = facts.map(
    ({ cluster, threadId }) =>
      `${threadId > 0 ? 'a thread' : (cluster?.role ?? 'plain')} ${cluster?.worker ?? ''}`,
  )
  t.strictSame(roles.sort(), ['a thread ', 'primary 0', 'worker 1', 'worker 2'])
  for (const { cluster } of facts) t.equal(cluster?.primaryPid ?? child.pid, child.pid)
  for (const { pid, threadId, cluster } of facts) {
    const { head } = await ask(directory, get('status'), `${pid}-${threadId}`)
    if (cluster?.role !== 'worker') continue
    t.match(
      head.status?.listening,
      [/^127\.0\.0\.1:\d+$/],
      'also in a worker, which has no handle of its own',
    )
  }
})
