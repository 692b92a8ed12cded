import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { adviceFor, type Reason, type Receiver, type Stage } from '@sendfail/core'
import t from 'tap'

// Runs the demo as it was built, with its standard output in a pipe.

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))

const FAILURES: [reason: Reason, stage: Stage, receiver: Receiver | null][] = [
  ['buffer_full', 'refused', 'stalled'],
  ['buffer_full', 'refused', 'slow'],
  ['buffer_full', 'refused', 'burst'],
  ['client_closed', 'refused', null],
  ['client_closed', 'lost', null],
]

interface Ended {
  code: number | null
  output: string
  errors: string
  ms: number
  /** Processes of its group that outlived it. */
  survivors: boolean
}

async function runDemo(whenPrinted?: (output: string, pid: number) => void): Promise<Ended> {
  const begunMs = performance.now()
  // A process group of its own, by which its children can be found after it has ended.
  const demo = spawn(process.execPath, [main], { detached: true, stdio: ['ignore', 'pipe', 'pipe'] })
  const pid = demo.pid as number
  let output = ''
  let errors = ''
  demo.stderr.setEncoding('utf8').on('data', (text) => {
    errors += text
  })
  demo.stdout.setEncoding('utf8').on('data', (text) => {
    output += text
    whenPrinted?.(output, pid)
  })
  const [code] = await once(demo, 'close')
  return { code, output, errors, ms: performance.now() - begunMs, survivors: groupExists(pid) }
}

function groupExists(pid: number): boolean {
  try {
    process.kill(-pid, 0)
    return true
  } catch {
    return false
  }
}

/** A line of the table of failures, with the advice under it. */
function failureLine(over: string, reason: Reason, stage: Stage, receiver: Receiver | null): RegExp {
  const figures = '[\\d,]+ +[\\d.]+'
  const advice = adviceFor(reason, receiver).replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
  return new RegExp(`^ +${over} +${reason} +${stage} +${receiver ?? '-'} +${figures}\\n +${advice}$`, 'm')
}

t.test('the demo in a pipe', async (t) => {
  const { code, errors, ms, output, survivors } = await runDemo()
  t.equal(code, 0, 'exits with 0', { output, errors })
  t.equal(errors, '', 'prints no error')
  t.ok(ms < 40_000, `takes less than 40 s: ${Math.round(ms / 1000)} s`)
  t.notMatch(output, '\u001b', 'prints no control sequence')
  t.equal(survivors, false, 'leaves no process behind')

  for (const over of ['tcp', 'ws']) {
    for (const [reason, stage, receiver] of FAILURES) {
      const name = [over, reason, stage, receiver].filter(Boolean).join(' ')
      t.match(output, failureLine(over, reason, stage, receiver), `explains ${name}`)
    }
  }
  t.match(output, /^ +tcp stops +stalled /m, 'shows who stopped reading')
  t.match(output, /^ +ws +stops +stalled /m, 'over both transports')
  t.match(output, /^ +waiting for clients, at the end +[\d.]+ MiB +[\d.]+ MiB$/m, 'compares the memory')
  t.match(
    output,
    /^ +socket\.send_fail +\d+ +\{message\} +buffer_full +stalled +refused$/m,
    'exports metrics',
  )
  t.match(output, /^The figures add up\n +messages: attempted [\d,]+ = sent [\d,]+ \+ failed [\d,]+ \+ /m)
})

t.test('the demo, interrupted, reports as far as it came', async (t) => {
  let interrupted = false
  const { code, errors, output, survivors } = await runDemo((output, pid) => {
    if (interrupted || !output.includes('tcp closes   refused')) return
    interrupted = true
    process.kill(pid, 'SIGINT')
  })
  t.equal(code, 130, 'exits as an interrupted program does', { output, errors })
  t.match(output, failureLine('tcp', 'client_closed', 'refused', null))
  t.match(output, /^The clients when the demo was interrupted$/m)
  t.match(output, /^The figures add up$/m)
  t.equal(survivors, false, 'leaves no process behind')
})
