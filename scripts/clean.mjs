// Removes what builds and test runs leave behind.
import { readdirSync, rmSync } from 'node:fs'
import { root } from './packages.mjs'

for (const parent of ['packages', 'examples']) {
  for (const name of readdirSync(`${root}/${parent}`)) {
    rmSync(`${root}/${parent}/${name}/dist`, { recursive: true, force: true })
  }
}
rmSync(`${root}/.tap`, { recursive: true, force: true })
