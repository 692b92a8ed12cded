import { once } from 'node:events'
import pty from '@lydell/node-pty'
import xterm from '@xterm/headless'
import t, { type Test, test } from 'tap'
import { until } from '../../../core/test/fixtures/books.ts'
import { directoryFor, environment, MAIN, start } from './run.ts'

// The command on a real pseudo-terminal, seen as a person sees it: through a terminal emulator.

t.setTimeout(120_000)

interface Seen {
  /** The screen as lines, without what is blank at their ends. */
  lines(): string[]
  press(keys: string): void
  resize(columns: number, rows: number): void
  kill(signal: string): void
  /** What the command exits with. */
  readonly exit: Promise<number>
  /** Is the screen the one that was there before? */
  isNormal(): boolean
  /** Everything that was written. */
  written(): string
}

function look(t: Test, directory: string, args: string[], env: Record<string, string> = {}): Seen {
  const size = { cols: 160, rows: 24 }
  const terminal = new xterm.Terminal({ ...size, allowProposedApi: true })
  const child = pty.spawn(process.execPath, [MAIN, ...args], {
    ...size,
    name: 'xterm-256color',
    env: environment(directory, env),
  })
  let written = ''
  child.onData((text) => {
    written += text
    terminal.write(text)
  })
  let running = true
  const exit = new Promise<number>((resolve) =>
    child.onExit(({ exitCode }) => {
      running = false
      resolve(exitCode)
    }),
  )
  t.teardown(() => {
    if (running) child.kill('SIGKILL')
    terminal.dispose()
  })
  return {
    exit,
    lines() {
      const { active } = terminal.buffer
      return Array.from(
        { length: terminal.rows },
        (_, row) =>
          active
            .getLine(active.viewportY + row)
            ?.translateToString(true, 0, terminal.cols)
            .trimEnd() ?? '',
      )
    },
    press: (keys) => child.write(keys),
    resize(columns, rows) {
      terminal.resize(columns, rows)
      child.resize(columns, rows)
    },
    kill: (signal) => child.kill(signal),
    isNormal: () => terminal.buffer.active.type === 'normal',
    written: () => written,
  }
}

/** Waits for a screen with a line like this. */
async function untilSeen({ lines, written }: Seen, like: RegExp): Promise<string> {
  let found: string | undefined
  await until(() => {
    found = lines().find((line) => like.test(line))
    return found !== undefined
  }).catch(() => {
    throw new Error(`never seen: ${like}\n${lines().join('\n')}\n${written().slice(-300)}`)
  })
  return found ?? ''
}

test('--watch draws in place, follows its keys and the size of the terminal, and leaves it as it was', async (t) => {
  const directory = directoryFor(t)
  const server = await start(t, directory, 'chat.ts')
  const seen = look(t, directory, ['status', '--watch', '0.3'])

  await untilSeen(seen, /buffer_full, stalled/)
  t.equal(seen.isNormal(), false, 'on a screen of its own')
  t.match(seen.lines()[0], /^PID +NAME +UPTIME/)
  t.match(seen.lines().at(-1), /^every 0\.3s {2}s status {2}c connections/, 'the keys stand in the last line')
  t.match(seen.written(), '\u001b[1m', 'with colour')
  const before = seen.lines()[1]
  await until(() => seen.lines()[1] !== before)
  t.match(seen.lines()[1], new RegExp(`^${server.pid} +chat`), 'drawn anew at the same place')
  t.equal(seen.lines().filter((line) => line.startsWith('PID')).length, 1)

  seen.press('c')
  await untilSeen(seen, /^ *PID +ID +PROTOCOL/)
  await untilSeen(seen, /^every 0\.3s {2}sorted by sendq/)
  t.match(seen.lines()[1], / full +(stalled|slow) /)
  seen.press('>')
  await untilSeen(seen, /sorted by limit/)
  seen.press('<')
  seen.press('<')
  await untilSeen(seen, /sorted by receiver/)
  for (let i = 0; i < 5; i++) seen.press('<')
  await untilSeen(seen, /sorted by foreign/)
  for (let i = 0; i < 2; i++) seen.press('>')
  await untilSeen(seen, /sorted by id/)
  await until(() => / \d+\.1 /.test(seen.lines()[1] ?? ''))
  seen.press('r')
  await until(() => / \d+\.[45] /.test(seen.lines()[1] ?? ''))

  seen.press('x')
  await untilSeen(seen, /client +ECONNRESET/)
  await untilSeen(seen, /sorted by age/)

  seen.press('s')
  await untilSeen(seen, /^PID +NAME/)
  seen.resize(44, 8)
  await until(
    () =>
      seen.lines().length === 8 &&
      /^PID/.test(seen.lines()[0] ?? '') &&
      !/UPTIME/.test(seen.lines()[0] ?? ''),
  )
  t.match(seen.lines()[0], /^PID +NAME .*SEND_FAIL .*STATE$/, 'the columns that matter stay')
  t.ok(seen.lines().every((line) => line.length <= 44))
  seen.resize(20, 3)
  await until(() => /…$/.test(seen.lines()[2] ?? ''))
  seen.resize(160, 24)
  await untilSeen(seen, /buffer_full, stalled/)
  seen.press('?') // no key of ours
  seen.press(' ')

  seen.press('q')
  t.equal(await seen.exit, 0)
  await until(() => seen.isNormal())
  t.ok(seen.written().endsWith('\u001b[?25h'), 'and its cursor')
})

for (const [how, end] of [
  ['ctrl-c', (seen: Seen) => seen.press('\u0003')],
  ['SIGTERM', (seen: Seen) => seen.kill('SIGTERM')],
] as const) {
  test(`${how} ends --watch and leaves the terminal as it was`, async (t) => {
    const directory = directoryFor(t)
    const seen = look(t, directory, ['connections', '--watch'], { NO_COLOR: '1' })
    await untilSeen(seen, /^No process of this user publishes/)
    t.notMatch(seen.written(), '\u001b[1m', 'without colour')
    end(seen)
    t.equal(await seen.exit, 0)
    await until(() => seen.isNormal())
  })
}

test('a process that comes and goes is seen to', async (t) => {
  const directory = directoryFor(t)
  const seen = look(t, directory, ['status', '-w', '0.2'])
  await untilSeen(seen, /^No process of this user publishes/)
  const server = await start(t, directory, 'chat.ts', 'guest', 'quiet')
  await untilSeen(seen, / guest .* ok$/)
  await untilSeen(seen, /^Nothing is wrong/)
  server.kill('SIGKILL')
  await once(server, 'exit')
  await untilSeen(seen, /^No process of this user publishes/)
  seen.press('q')
  t.equal(await seen.exit, 0)
})
