import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const packages = fileURLToPath(new URL('../../packages', import.meta.url))

/** Puts a copy of every built package that is published into `folder`, as an installation of its own would. */
export function copyPackages(folder: string): void {
  for (const name of readdirSync(packages)) {
    const manifest = join(packages, name, 'package.json')
    const { name: fullName, private: unpublished } = JSON.parse(readFileSync(manifest, 'utf8'))
    if (unpublished === true) continue
    const target = join(folder, 'node_modules', fullName)
    cpSync(join(packages, name, 'dist'), join(target, 'dist'), { recursive: true })
    cpSync(manifest, join(target, 'package.json'))
  }
}

/** Makes the installed package `name` of `from` visible in `folder`: the same one, or a copy. */
export function linkPackage(folder: string, from: string, name: string, kind: 'copy' | 'link'): void {
  const [source, target] = [join(from, 'node_modules', name), join(folder, 'node_modules', name)]
  mkdirSync(join(target, '..'), { recursive: true })
  if (kind === 'copy') cpSync(source, target, { recursive: true, dereference: true })
  else symlinkSync(source, target, 'junction')
}
