import fc from 'fast-check'
import t, { test } from 'tap'
import { WITHOUT_UWS } from '../fixtures/uws.ts'
import type { UwsKind } from '../fixtures/uws-link.ts'
import { uwsProgram } from './uws-program.ts'
import { runUwsProgram } from './uws-run.ts'

// The law of law.test.ts over connections that uWebSockets.js has accepted; the same variables apply.
const kinds: readonly UwsKind[] = ['uws', 'uws+deflate', 'uws+ssl']
const { LAW_KIND: only, LAW_RUNS = '300', LAW_SEED = '20261123' } = process.env
const runs = Number(LAW_RUNS)
const seed = LAW_SEED === 'random' ? Date.now() % 2 ** 31 : Number(LAW_SEED)

t.setTimeout(0) // a machine under load takes as long as it takes

for (const kind of kinds) {
  if (only !== undefined && only !== kind) continue
  const name = `the law holds over ${kind} in ${runs} programs from seed ${seed}`
  test(name, { skip: WITHOUT_UWS, timeout: 0 }, async (t) => {
    await fc.assert(
      fc.asyncProperty(uwsProgram, (program) => runUwsProgram(kind, program)),
      { seed, numRuns: runs, endOnFailure: true, verbose: 0 },
    )
    t.pass(`${runs} programs`)
  })
}
