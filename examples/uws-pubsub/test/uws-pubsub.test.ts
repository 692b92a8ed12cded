import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { test } from 'tap'
import { WITHOUT_UWS } from '../../../test/fixtures/uws.ts'

const program = fileURLToPath(new URL('../src/main.ts', import.meta.url))
const loader = new URL('../../../scripts/typescript.mjs', import.meta.url).href

test('it ends by itself and prints why sends failed', { skip: WITHOUT_UWS }, async (t) => {
  const args = ['--conditions=@sendfail/source', `--import=${loader}`, program]
  const { status, stderr, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  t.equal(status, 0, 'it checks itself', { stdout, stderr })
  t.match(stdout, /^first stops: refused, buffer_full, receiver burst$/m)
  t.match(stdout, /^first closes: refused, client_closed$/m)
  t.match(stdout, /^reads +300 +300 +0 +0 +-$/m)
  t.match(stdout, /^closes .*\d+ client_closed: The client closed first: normal\./m)
  t.match(stdout, /^stops .*\d+ buffer_full: /m)
})
