// The long run of the law: 2000 programs for each kind of connection, from a new seed each time.
//   LAW_SEED=<the seed it printed> node scripts/test-law.mjs     the same programs again
//   LAW_KIND=tls LAW_RUNS=50000 node scripts/test-law.mjs        one kind, for as long as you like
import { testFile, twoAtATime } from './test-file.mjs'

const KINDS = ['tls', 'wss', 'ipc', 'ws+deflate', 'ws', 'tcp']
/** Over uWebSockets.js; skipped, with the reason, where it has no binary for this Node. */
const UWS_KINDS = ['uws+ssl', 'uws+deflate', 'uws']

const { LAW_KIND, LAW_RUNS = '2000', LAW_SEED = 'random' } = process.env
const seed = LAW_SEED === 'random' ? String(Date.now() % 2 ** 31) : LAW_SEED
const kinds = LAW_KIND === undefined ? [...KINDS, ...UWS_KINDS] : [LAW_KIND]

console.log(`test:law: ${LAW_RUNS} programs for each kind of connection; to repeat: LAW_SEED=${seed}`)
await twoAtATime(kinds, async (kind) => {
  const { output, passed, totals } = await testFile(
    UWS_KINDS.includes(kind) ? 'test/law/uws.test.ts' : 'test/law/law.test.ts',
    {
      env: { LAW_KIND: kind, LAW_RUNS, LAW_SEED: seed },
    },
  )
  if (passed) return console.log(output.match(/^ok 1 - .*$/m)?.[0] ?? totals)
  process.exitCode = 1
  console.error(
    `${output}\ntest:law: ${kind} failed (${totals}); to repeat: LAW_KIND=${kind} LAW_SEED=${seed}`,
  )
})
