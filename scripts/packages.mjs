// The packages that are published: every folder of packages/ that is not private.
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))

/** @type {{ name: string, folder: string }[]} */
export const published = readdirSync(`${root}/packages`)
  .map((name) => ({ folder: `${root}/packages/${name}` }))
  .map(({ folder }) => ({ folder, manifest: JSON.parse(readFileSync(`${folder}/package.json`, 'utf8')) }))
  .filter(({ manifest }) => manifest.private !== true)
  .map(({ folder, manifest }) => ({ name: manifest.name, folder }))
