import fc from 'fast-check'
import t, { test } from 'tap'
import type { Kind } from '../fixtures/link.ts'
import { programOf } from './program.ts'
import { runProgram } from './run.ts'

// attempted = sent + failed + pending, on every kind of connection, whatever is done to it. The seed is fixed, so that
// a run can be repeated; LAW_SEED=random and LAW_RUNS=3000 make the longer run of `pnpm test:law`.
t.setTimeout(0) // a long run is long

const kinds: readonly Kind[] = ['tcp', 'tls', 'ipc', 'ws', 'ws+deflate', 'wss']
const { LAW_KIND: only, LAW_RUNS = '300', LAW_SEED = '20261123' } = process.env
const runs = Number(LAW_RUNS)
const seed = LAW_SEED === 'random' ? Date.now() % 2 ** 31 : Number(LAW_SEED)

for (const kind of kinds) {
  if (only !== undefined && only !== kind) continue
  test(`the law holds over ${kind} in ${runs} programs from seed ${seed}`, { timeout: 0 }, async (t) => {
    await fc.assert(
      fc.asyncProperty(programOf(kind), (program) => runProgram(kind, program)),
      { seed, numRuns: runs, endOnFailure: true, verbose: 0 },
    )
    t.pass(`${runs} programs`)
  })
}
