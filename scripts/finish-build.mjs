// What tsc leaves undone: mark the CommonJS build as such, and drop outputs whose source is gone.
import { existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
for (const name of readdirSync(join(root, 'packages'))) {
  const folder = join(root, 'packages', name)
  for (const dist of [join(folder, 'dist/esm'), join(folder, 'dist/cjs')].filter((path) =>
    existsSync(path),
  )) {
    for (const file of readdirSync(dist)) {
      const source = file.replace(/(\.d\.ts|\.js|\.js\.map)$/, '.ts')
      if (source !== file && !existsSync(join(folder, 'src', source))) rmSync(join(dist, file))
    }
  }
  const marker = join(folder, 'dist/cjs/package.json')
  if (existsSync(join(folder, 'dist/cjs')) && !existsSync(marker))
    writeFileSync(marker, '{ "type": "commonjs" }\n')
}
