import { type ChildProcess, execFile, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'

/** The command as a user has it: built. `pnpm test` builds first. */
export const MAIN: string = fileURLToPath(new URL('../../dist/esm/cli/main.js', import.meta.url))
const loader = new URL('../../../../scripts/typescript.mjs', import.meta.url).href

export interface Ran {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** What the command prints, and what it exits with. */
export function run(
  directory: string,
  args: readonly string[],
  env: Record<string, string> = {},
): Promise<Ran> {
  return new Promise((resolve) =>
    execFile(
      process.execPath,
      [MAIN, ...args],
      { env: environment(directory, env), timeout: 60_000, maxBuffer: 64 * 1024 * 1024 },
      (error, out, err) => resolve({ code: Number(error?.code ?? 0), out, err }),
    ),
  )
}

/** That of a user's shell: the test runner has its own ideas of colours and loaders. */
export function environment(directory: string, env: Record<string, string> = {}): Record<string, string> {
  const { HOME = '', PATH = '' } = process.env
  return { HOME, PATH, TERM: 'xterm-256color', SENDFAIL_STATUS_DIR: directory, ...env }
}

/** A directory in which only processes of this test publish. */
export function directoryFor(t: Test): string {
  const parent = mkdtempSync(join(tmpdir(), 'status-'))
  t.teardown(() => rmSync(parent, { recursive: true, force: true }))
  const directory = join(parent, 'd')
  mkdirSync(directory, { mode: 0o700 })
  return directory
}

/** Starts a program of this folder's neighbour and waits until it is ready. */
export async function start(
  t: Test,
  directory: string,
  program: string,
  ...args: string[]
): Promise<ChildProcess> {
  const file = fileURLToPath(new URL(`../programs/${program}`, import.meta.url))
  const child = fork(file, args, {
    execArgv: ['--conditions=@sendfail/source', `--import=${loader}`],
    env: { ...process.env, SENDFAIL_STATUS_DIR: directory },
  })
  t.teardown(() => child.kill('SIGKILL'))
  await once(child, 'message')
  return child
}
