// Runs test files one by one without the test runner, as `pnpm test:file` does, with any Node.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))

/**
 * @typedef {object} Outcome
 * @property {boolean} passed
 * @property {string} output the TAP of the file, and what it said beside that
 * @property {string} totals what it counted, in words
 */

/**
 * @param {string} file from the root
 * @param {{ node?: string, env?: Record<string, string> }} [options]
 * @returns {Promise<Outcome>}
 */
export async function testFile(file, { node = process.execPath, env = {} } = {}) {
  const loader = new URL('typescript.mjs', import.meta.url).href
  const args = [
    '--conditions=@sendfail/source',
    '--enable-source-maps',
    '--no-deprecation',
    `--import=${loader}`,
  ]
  const child = spawn(node, [...args, file], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output += text
    })
  }
  const [code, signal] = await once(child, 'close')
  const counted = output.match(/^# \{ total: .*\}$/gm)?.at(-1)
  const ended = code === 0 ? '' : `, exited with ${code ?? signal}`
  return {
    passed: code === 0 && counted !== undefined,
    output,
    totals: (counted?.replace(/[#{}]/g, '').trim() ?? 'no test ran') + ended,
  }
}

/**
 * Does `work` for each of `items`, two at a time.
 *
 * @template T
 * @param {readonly T[]} items
 * @param {(item: T) => Promise<void>} work
 */
export async function twoAtATime(items, work) {
  const left = [...items]
  const worker = async () => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item)
  }
  await Promise.all([worker(), worker()])
}
