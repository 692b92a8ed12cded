// Runs the test suite and says in words why it failed: tap alone exits 1 without a sentence when coverage is short, and
// never looks at a source that no test loads.
//   node scripts/test.mjs              everything, with coverage of core
//   node scripts/test.mjs file.test.ts these files, without coverage
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
process.chdir(root)
const output = join(root, '.tap', 'output.tap')
const summary = join(root, '.tap', 'report', 'coverage-summary.json')
const files = process.argv.slice(2)

rmSync(output, { force: true })
rmSync(summary, { force: true })
const [status, tap] = await runTap()

const { pass, fail, skip } = totals()
const reasons = []
if (status !== 0) reasons.push(`the test runner exited with ${status ?? 'a signal'}`)
if (fail > 0) reasons.push(`${fail} failed: see above`)
if (pass + fail === 0) reasons.push('no test ran')
if (files.length === 0) reasons.push(...uncovered())
for (const reason of reasons) console.error(`test: ${reason}`)
console.log(`${pass} passed, ${fail} failed${skip > 0 ? `, ${skip} skipped` : ''}`)
process.exitCode = reasons.length > 0 ? 1 : 0

/** A person at a terminal gets tap's display and the TAP goes to a file; otherwise the TAP itself is printed and kept. */
async function runTap() {
  const terminal = process.stdout.isTTY
  const args = [join(root, 'node_modules/tap/dist/esm/run.mjs')]
  if (terminal) args.push(`--output-file=${output}`)
  if (files.length > 0) args.push('--disable-coverage', ...files)
  const child = spawn(process.execPath, args, {
    stdio: ['inherit', terminal ? 'inherit' : 'pipe', 'inherit'],
  })
  let printed = ''
  child.stdout?.setEncoding('utf8').on('data', (text) => {
    printed += text
    process.stdout.write(text)
  })
  const [code] = await once(child, 'close')
  return [code, terminal ? read(output) : printed]
}

/** What tap counted: its last line of the form `# { total: 4, pass: 3, fail: 1 }`. */
function totals() {
  const line = tap.match(/^# \{ total: .*\}$/gm)?.at(-1) ?? ''
  const count = (/** @type {string} */ name) => Number(line.match(new RegExp(`\\b${name}: (\\d+)`))?.[1] ?? 0)
  return { pass: count('pass'), fail: count('fail'), skip: count('skip') }
}

/** Core's sources that are not covered to the last branch, and those that no test loaded at all. */
function uncovered() {
  const found = []
  const seen = new Set()
  for (const [file, figures] of Object.entries(JSON.parse(read(summary) || '{}'))) {
    if (file === 'total') continue
    seen.add(basename(file))
    const short = ['statements', 'branches', 'functions', 'lines'].filter((kind) => figures[kind].pct < 100)
    for (const kind of short)
      found.push(`${basename(file)}: ${figures[kind].pct} % of its ${kind} are covered, not 100 %`)
  }
  for (const name of readdirSync(join(root, 'packages/core/src'))) {
    if (!seen.has(name) && hasCode(name)) found.push(`${name}: no test covers it`)
  }
  return found.map((line) => `packages/core/src/${line}`)
}

/** A module of types only leaves nothing but `export {}` behind. */
function hasCode(/** @type {string} */ name) {
  const built = read(join(root, 'packages/core/dist/esm', name.replace(/\.ts$/, '.js')))
  return built.replace(/\/\*[\s\S]*?\*\/|\/\/.*$|export \{\};?/gm, '').trim() !== ''
}

function read(/** @type {string} */ file) {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
