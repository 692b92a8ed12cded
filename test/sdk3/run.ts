// Runs the facts about metrics with SDK 3, which needs a newer Node than the rest of the workspace. Fetches one with npx
// unless this one will do; where there is none to be had it says so and is content.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { copyPackages, linkPackage } from '../otel/copies.ts'

const here = fileURLToPath(new URL('.', import.meta.url))
const program = fileURLToPath(new URL('program.ts', import.meta.url))
const shell = process.platform === 'win32'
/** Without the test environment's conditions: the built packages are under test. */
const { NODE_OPTIONS: _options, ...env } = process.env

/** A command that runs a Node which has the types stripped and is new enough for the SDK; `null` where there is none. */
function newerNode(): string[] | null {
  if (Number.parseInt(process.versions.node, 10) >= 24) return [process.execPath]
  const command = ['npx', '-y', 'node@24']
  const { error, status, stderr } = spawn([...command, '--version'], 'pipe')
  if (status === 0) return command
  const why = error?.message ?? String(stderr).trim().split('\n').at(-1)
  console.log(`SDK 3: skipped, no Node 24 here and none could be fetched: ${why}`)
  return null
}

function spawn([name = '', ...args]: string[], stdio: 'inherit' | 'pipe') {
  return spawnSync(name, args, { env, shell, stdio, cwd: here, timeout: 300_000 })
}

const node = newerNode()
if (node !== null) {
  const folder = mkdtempSync(join(tmpdir(), 'sendfail-sdk3-'))
  copyPackages(folder)
  const { devDependencies } = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'))
  for (const name of Object.keys(devDependencies)) linkPackage(folder, here, name, 'link')
  const { signal, status } = spawn([...node, program, folder], 'inherit')
  if (status !== 0) console.error(`SDK 3: the program ended with ${status ?? signal}`)
  rmSync(folder, { recursive: true })
  process.exitCode = status === 0 ? 0 : 1
}
