import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { copyPackages, linkPackage } from './copies.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const { NODE_OPTIONS: _options, ...env } = process.env

/** Runs a program to its own end: nothing stops it but a minute. */
async function run(...args: string[]): Promise<string> {
  const options = { cwd: root, env, timeout: 60_000 }
  // a program of its own, without the module hooks that the test runner puts into NODE_OPTIONS of every child
  const script = 'unset NODE_OPTIONS; exec "$0" "$@"'
  const { stdout } = await promisify(execFile)('sh', ['-c', script, process.execPath, ...args], options)
  return stdout
}

const start = (order: string): Promise<string> => {
  const program = fileURLToPath(new URL('programs/start.ts', import.meta.url))
  return run('--conditions=@sendfail/source', '--import=./scripts/typescript.mjs', program, order)
}

const EXCHANGED = { 'socket.message.sent': 3, 'socket.message.sent.size': 11, 'socket.send_fail': 1 }

t.jobs = 2

for (const [order, failed] of [
  ['SDK, import', 1],
  ['import, SDK, wrap', 1],
  ['import, wrap, SDK, failure', 2],
  ['import, wrap, SDK, timer', 1],
  ['import, wrap, SDK, bindMetrics()', 1],
  ['NodeSDK, import, wrap', 1],
  ['import, wrap, NodeSDK', 1],
] as const) {
  t.test(`nothing is lost in the order ${order}`, async (t) => {
    t.match(JSON.parse(await start(order)), { ...EXCHANGED, 'socket.send_fail': failed })
  })
}

t.test('without an SDK the process ends when its work is done', async (t) => {
  t.equal(await start('no SDK'), '')
})

t.test('two copies of the library observe everything, and nothing twice', async (t) => {
  const build = join(root, 'node_modules/@typescript/native/bin/tsc')
  await run(build, '-b', 'packages/net', 'packages/net/tsconfig.cjs.json')
  await run('scripts/finish-build.mjs')
  const program = fileURLToPath(new URL('programs/copies.mjs', import.meta.url))
  for (const api of ['link', 'copy'] as const) {
    const parent = mkdtempSync(join(tmpdir(), 'sendfail-copies-'))
    t.teardown(() => rmSync(parent, { recursive: true }))
    const folders = ['first', 'second'].map((name) => join(parent, name)) as [string, string]
    for (const [at, folder] of folders.entries()) {
      copyPackages(folder)
      linkPackage(folder, join(root, 'test'), '@opentelemetry/api', at === 1 ? api : 'link')
      linkPackage(folder, join(root, 'test'), '@opentelemetry/sdk-metrics', 'link')
    }
    const sums = JSON.parse(await run('--no-experimental-require-module', program, ...folders))
    const twice = { 'socket.message.sent': 6, 'socket.message.sent.size': 22, 'socket.send_fail': 2 }
    t.match(sums, { ...twice, 'socket.connection.count': 0 }, `${api} of the API`)
  }
})
