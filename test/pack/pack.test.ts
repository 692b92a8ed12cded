import { spawnSync } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'

// The packages as users get them: packed, installed into an empty project outside the workspace, and used there.

const root = fileURLToPath(new URL('../..', import.meta.url))
const project = mkdtempSync(join(tmpdir(), 'sendfail-consumer-'))
t.teardown(() => rmSync(project, { recursive: true, force: true }))

/** Runs a program as a user's shell would: without what the test runner puts into the environment of its children. */
function run(cwd: string, program: string, ...args: string[]): string {
  const script = 'unset NODE_OPTIONS; exec "$0" "$@"'
  const { status, stdout, stderr } = spawnSync('sh', ['-c', script, program, ...args], {
    cwd,
    encoding: 'utf8',
  })
  if (status !== 0)
    throw new Error(`${program} ${args.join(' ')} exited with ${status}\n${stdout}\n${stderr}`)
  return stdout
}

const node = (...args: string[]): string => run(project, process.execPath, ...args)

/** Without it Node takes the `require` condition, and CommonJS gets the build of its own. */
const noRequireEsm = '--no-experimental-require-module'

/** The version of a dependency that this folder itself tests with. */
const { devDependencies } = JSON.parse(readFileSync(join(root, 'test/package.json'), 'utf8')) as {
  devDependencies: Record<string, string>
}
const like = (name: string): string => `${name}@${devDependencies[name]}`

t.before(async () => {
  run(root, process.execPath, 'node_modules/@typescript/native/bin/tsc', '-b')
  run(root, process.execPath, 'scripts/finish-build.mjs')
  const tarballs = run(root, process.execPath, 'scripts/pack.mjs', join(project, 'tarballs'))
    .trim()
    .split('\n')
  cpSync(new URL('consumer', import.meta.url), project, { recursive: true })
  writeFileSync(join(project, 'package.json'), '{ "private": true }\n')
  const peers = ['@opentelemetry/api', 'ws', '@types/ws', '@types/node'].map(like)
  run(project, 'npm', 'install', '--prefer-offline', '--no-audit', '--no-fund', ...tarballs, ...peers)
})

t.test('a tarball holds the two builds, a licence and a readme, and no source', async (t) => {
  for (const name of ['cli', 'core', 'net', 'otel', 'uws', 'ws']) {
    const folder = join(project, 'node_modules', name === 'cli' ? 'sendfail' : `@sendfail/${name}`)
    t.same(readdirSync(folder).sort(), ['LICENSE', 'README.md', 'dist', 'package.json'], name)
    t.notMatch(readFileSync(join(folder, 'package.json'), 'utf8'), /sendfail\/source|workspace:/, name)
    const sources = readdirSync(join(root, 'packages', name, 'src')).filter((file) => file.endsWith('.ts'))
    const modules = sources.map((file) => file.replace(/\.ts$/, ''))
    const files = modules.flatMap((module) => ['.d.ts', '.js', '.js.map'].map((end) => module + end))
    const esm = readdirSync(join(folder, 'dist/esm')).filter((file) => file !== 'cli')
    t.same(esm.sort(), files.sort(), `${name}: esm`)
    t.same(readdirSync(join(folder, 'dist/cjs')).sort(), [...files, 'package.json'].sort(), `${name}: cjs`)
  }
})

t.test('ES modules and CommonJS get the same exports', async (t) => {
  const names = JSON.parse(node('exports.mjs'))
  t.same(JSON.parse(node('exports.cjs')), names, 'CommonJS by require of an ES module')
  t.same(JSON.parse(node(noRequireEsm, 'exports.cjs')), names, 'CommonJS by its own build')
})

t.test('the installed command shows a process that publishes, by either build', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'sendfail-status-'))
  t.teardown(() => rmSync(directory, { recursive: true, force: true }))
  const script = `const { publishStatus } = require('sendfail')
    const { ready } = publishStatus({ name: 'consumer' })
    ready.then(() => require('node:child_process').exec('node_modules/.bin/sendfail status', (error, stdout) => {
      console.log(error?.code ?? 0, stdout)
      process.exit()
    }))`
  const show = (...flags: string[]) =>
    run(project, 'env', `SENDFAIL_STATUS_DIR=${directory}`, process.execPath, ...flags, '-e', script)
  for (const shown of [show(), show(noRequireEsm)]) t.match(shown, /^0 PID +NAME .*\n\d+ +consumer .* ok\n/)
})

t.test('one registry in a process that imports and requires', async (t) => {
  t.match(node('one-registry.mjs'), /^(one instance|pending.*)\n$/)
  t.match(node(noRequireEsm, 'one-registry.mjs'), /^(two copies|pending.*)\n$/)
})

for (const module of ['nodenext', 'node16']) {
  for (const compiler of ['@typescript/native/bin/tsc', 'typescript/bin/tsc6']) {
    t.test(`types for ES modules and CommonJS under module: ${module}, ${compiler}`, async (t) => {
      const compilerOptions = {
        module,
        strict: true,
        exactOptionalPropertyTypes: true,
        noEmit: true,
        types: ['node'],
      }
      const config = join(project, `tsconfig.${module}.json`)
      writeFileSync(config, JSON.stringify({ compilerOptions, files: ['types.mts', 'types.cts'] }))
      t.equal(node(join(root, 'node_modules', compiler), '-p', config), '')
    })
  }
}
