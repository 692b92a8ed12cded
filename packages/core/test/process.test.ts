import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { test } from 'tap'

const program = fileURLToPath(new URL('./programs/exit.ts', import.meta.url))
const loader = new URL('../../../scripts/typescript.mjs', import.meta.url).href

/** What the program printed when it exited by itself; it is killed if it does not. */
function run(...args: string[]): Promise<{ active: string[]; failed: number }> {
  const argv = ['--conditions=@sendfail/source', `--import=${loader}`, program, ...args]
  return new Promise((resolve, reject) =>
    execFile(process.execPath, argv, { timeout: 60_000 }, (error, stdout) =>
      error === null ? resolve(JSON.parse(stdout)) : reject(error),
    ),
  )
}

test("a process with nothing but unref'd sockets, one with a backlog, exits wrapped as it does bare", async (t) => {
  const [bare, wrapped] = await Promise.all([run('bare'), run('wrapped')])
  t.strictSame(wrapped.active, bare.active)
  t.equal(wrapped.failed, 1, 'the guard was at work')
})
