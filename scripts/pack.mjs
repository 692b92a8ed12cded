// Packs every published package as it would be published:  node scripts/pack.mjs <folder>
// Prints the paths of the tarballs, one a line. The build has to be there.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { published, root } from './packages.mjs'

const [destination] = process.argv.slice(2)
if (destination === undefined) throw new Error('usage: node scripts/pack.mjs <folder>')
const folder = resolve(destination)
mkdirSync(folder, { recursive: true })

const filters = published.map(({ name }) => `--filter=${name}`)
const { status, stdout, stderr } = spawnSync(
  'npx',
  ['-y', 'pnpm', ...filters, 'pack', '--pack-destination', folder],
  { cwd: root, encoding: 'utf8', shell: process.platform === 'win32' },
)
if (status !== 0) throw new Error(`pnpm pack exited with ${status}\n${stdout}\n${stderr}`)

const tarballs = readdirSync(folder).filter((name) => name.endsWith('.tgz'))
if (tarballs.length !== published.length) {
  throw new Error(`${folder} should hold a tarball for each of ${published.length} packages: ${tarballs}`)
}
for (const name of tarballs) console.log(join(folder, name))
