import { readFileSync } from 'node:fs'
import t, { test } from 'tap'
import { WITHOUT_UWS } from '../fixtures/uws.ts'
import { SENTENCES } from './sentences.ts'
import { SUBJECTS as NODE_SUBJECTS } from './subjects.ts'
import { open } from './traffic.ts'
import { UWS_SUBJECTS } from './uws-subjects.ts'

const SUBJECTS = [...NODE_SUBJECTS, ...(WITHOUT_UWS === false ? UWS_SUBJECTS : [])]
test('uWebSockets.js is among them', { skip: WITHOUT_UWS }, async (t) =>
  t.ok(SUBJECTS.includes(UWS_SUBJECTS[0] as never)),
)

const CONTRACT = new URL('../../packages/core/src/transport.ts', import.meta.url)

/** The numbered sentences of a doc comment; one may go over several lines. */
function numberedSentences(source: string): string[] {
  const lines = source.split('\n').map((line) => line.replace(/^ \* ?/, ''))
  const found: string[] = []
  let open = false
  for (const line of lines) {
    const begins = /^ ?\d+\. /.test(line)
    if (begins) found.push(line.trim())
    else if (open && /^ {2,}\S/.test(line)) found.push(`${found.pop()} ${line.trim()}`)
    open = begins || (open && /^ {2,}\S/.test(line))
  }
  return found
}

test('the contract beside the type and the sentences that are run are the same list', async (t) => {
  const contract = numberedSentences(readFileSync(CONTRACT, 'utf8'))
  t.ok(contract.length > 0)
  t.strictSame(
    SENTENCES.map(({ number, sentence }) => `${number}. ${sentence}`),
    contract,
  )
})

t.setTimeout(0) // each test has its own

for (const subject of SUBJECTS) {
  const { kind, lacks, side } = subject
  test(`a connection is what its test is named for (${kind}, ${side})`, async (t) => {
    const connection = await open(t, subject, null)
    const { found, wanted } = subject.proof(connection)
    t.strictSame(found, wanted)
    connection.send('x')
    t.equal(
      connection.held() === 0,
      lacks.atOnce === undefined,
      'whether a message can leave within the call',
    )
  })
}

for (const { needs, run, sentence } of SENTENCES) {
  for (const subject of SUBJECTS) {
    const { kind, lacks, side } = subject
    const reason = needs === undefined ? undefined : lacks[needs]
    const name = `${sentence} (${kind}, ${side})`
    test(name, { skip: reason ?? false, timeout: 120_000 }, (t) => run(t, subject))
  }
}
