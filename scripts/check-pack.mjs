// Asks publint and arethetypeswrong about the tarballs. The build has to be there.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { root } from './packages.mjs'

const folder = mkdtempSync(join(tmpdir(), 'sendfail-check-pack-'))
let failed = false

/** Runs a program of node_modules/.bin, or a script with node; shows what it says. */
function run(/** @type {string} */ program, /** @type {string[]} */ ...args) {
  const { status, stdout, stderr } = spawnSync(program, args, {
    cwd: root,
    encoding: 'utf8',
    shell: process.platform === 'win32',
  })
  if (status !== 0) {
    failed = true
    console.error(`${basename(program)} exited with ${status}\n${stdout}${stderr}`)
  }
  return stdout
}

try {
  const tarballs = run(process.execPath, 'scripts/pack.mjs', folder).split('\n').filter(Boolean)
  for (const tarball of tarballs) {
    run('publint', 'run', tarball, '--strict')
    run('attw', tarball, '--no-emoji')
    if (!failed) console.log(`${basename(tarball)}: publint and arethetypeswrong have nothing to say`)
  }
} finally {
  rmSync(folder, { recursive: true })
}
process.exitCode = failed ? 1 : 0
