// Runs the law, the conformance suite and the tests of core, and of what publishes a status, on the other Node versions
// that are supported. Their binaries come from the npm package `node`. A version that cannot be had is named with the
// reason and fails nothing, unless none can be had: then nothing was tried.
//   node scripts/test-nodes.mjs        all of them
//   node scripts/test-nodes.mjs 24     these
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { root, testFile, twoAtATime } from './test-file.mjs'

const VERSIONS = process.argv.length > 2 ? process.argv.slice(2) : ['22', '24', '26']
const files = [
  'test/law/law.test.ts',
  'test/conformance/conformance.test.ts',
  ...testsUnder('packages/core/test'),
  'packages/cli/test/publish.test.ts',
  'packages/cli/test/cli/parts.test.ts',
]

let tried = 0
for (const version of VERSIONS) {
  const { node, reason } = findNode(version)
  if (node === undefined) {
    console.error(`test:nodes: Node ${version} cannot be had: ${reason}`)
    continue
  }
  tried++
  console.log(`test:nodes: Node ${version}`)
  await twoAtATime(files, async (file) => {
    const { output, passed, totals } = await testFile(file, { node, env: { LAW_RUNS: '100' } })
    if (!passed) {
      process.exitCode = 1
      console.error(output)
    }
    console.log(`test:nodes: Node ${version}: ${passed ? 'passed' : 'FAILED'} ${file} (${totals})`)
  })
}
if (tried === 0) {
  process.exitCode = 1
  console.error('test:nodes: nothing was tried')
}

/**
 * The binary of a version, or the reason that there is none.
 *
 * @returns {{ node?: string, reason: string }}
 */
function findNode(/** @type {string} */ version) {
  const { error, status, stderr, stdout } = spawnSync(
    'npx',
    ['-y', '-p', `node@${version}`, '-c', 'node -p process.execPath'],
    { encoding: 'utf8', shell: process.platform === 'win32' },
  )
  if (error !== undefined) return { reason: error.message }
  const errors = stderr.split('\n').filter((line) => /\berr(or)?\b/i.test(line))
  if (status !== 0) return { reason: errors.slice(0, 3).join('; ') || `npx exited with ${status}` }
  const node = stdout.trim()
  const found = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout?.trim() ?? 'nothing'
  if (!found.startsWith(`v${version}.`)) return { reason: `what npx gave is ${found}` }
  return { node, reason: '' }
}

function testsUnder(/** @type {string} */ folder) {
  if (!existsSync(join(root, folder))) return []
  const names = readdirSync(join(root, folder), { encoding: 'utf8', recursive: true })
  return names.filter((name) => name.endsWith('.test.ts')).map((name) => `${folder}/${name}`)
}
