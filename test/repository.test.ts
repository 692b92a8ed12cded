import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'

// The manners of this repository. What each package may import is the whole dependency graph: it points one way.

const root = fileURLToPath(new URL('..', import.meta.url))
const mayImport: Record<string, string[]> = {
  cli: [
    '@sendfail/core',
    'ansi-escapes',
    'cli-table3',
    'cli-truncate',
    'commander',
    'picocolors',
    'pretty-bytes',
    'pretty-ms',
    'string-width',
    'zod',
  ],
  core: [],
  otel: ['@sendfail/core', '@opentelemetry/api'],
  net: ['@sendfail/core', '@sendfail/otel', '@opentelemetry/api'],
  uws: ['@sendfail/core', '@sendfail/otel', '@opentelemetry/api'],
  ws: ['@sendfail/core', '@sendfail/otel', '@opentelemetry/api', 'ws'],
}
const packages = Object.keys(mayImport)
const maxLines = 220

interface Manifest {
  name: string
  version: string
  private?: boolean
  exports: Record<string, Record<string, unknown>>
  publishConfig: { exports: Record<string, Record<string, unknown>> }
  dependencies?: Record<string, string>
  optionalDependencies?: Record<string, string>
  peerDependencies?: Record<string, string>
}

const read = (...path: string[]): string => readFileSync(join(root, ...path), 'utf8')
const withoutComments = (text: string): string => text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')
const manifestOf = (name: string): Manifest => JSON.parse(read('packages', name, 'package.json'))
const sourcesOf = (name: string): string[] =>
  readdirSync(join(root, 'packages', name, 'src'), { recursive: true })
    .map(String)
    .filter((file) => file.endsWith('.ts'))

t.test('every published package is held to these rules', async (t) => {
  const published = readdirSync(join(root, 'packages')).filter((name) => manifestOf(name).private !== true)
  t.same(published.sort(), [...packages].sort())
})

for (const name of packages) {
  t.test(manifestOf(name).name, async (t) => {
    const manifest = manifestOf(name)
    const { dependencies = {}, optionalDependencies = {}, peerDependencies = {} } = manifest
    const declared = Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies })

    t.test('declares no dependency that it may not import', async (t) => {
      t.same(
        declared.filter((dependency) => !mayImport[name]?.includes(dependency)),
        [],
      )
    })

    t.test('publishes its exports, less the one that points at the sources', async (t) => {
      const { '@sendfail/source': source, ...published } = manifest.exports['.'] ?? {}
      t.equal(source, './src/index.ts')
      t.same(manifest.publishConfig.exports['.'], published)
      t.same(Object.keys(published), ['module-sync', 'import', 'require'])
    })

    t.test('has the version of the others', async (t) => {
      t.equal(manifest.version, manifestOf('core').version)
    })

    t.test('has an index.ts that is a table of contents', async (t) => {
      const statements = withoutComments(read('packages', name, 'src', 'index.ts'))
        .split(/\n(?=export|import|const|let|function|class)/)
        .map((statement) => statement.trim())
        .filter(Boolean)
      for (const statement of statements) t.match(statement, /^export (type )?\{[^}]*\} from '[^']+'$/)
    })

    for (const file of sourcesOf(name)) {
      t.test(`src/${file}`, async (t) => {
        const text = read('packages', name, 'src', file)
        t.ok(text.trimEnd().split('\n').length <= maxLines, `has at most ${maxLines} lines`)
        t.notMatch(file, /\b(utils?|helpers?|common|misc)\b/i, 'is a noun of the field')
        t.notMatch(text, /\b(c8|v8|istanbul|node:coverage) (ignore|disable)\b/, 'hides nothing from coverage')
        const imports = [
          ...withoutComments(text).matchAll(/\b(?:from|import|require\()\s*\(?'([^']+)'/g),
        ].map((match) => String(match[1]))
        t.same(
          imports.filter((from) => !/^(node:|\.\.?\/)/.test(from) && !declared.includes(from)),
          [],
          'imports only Node, its own package and what the package declares',
        )
      })
    }
  })
}

t.test('the lockfile names no host', async (t) => {
  t.notMatch(read('pnpm-lock.yaml'), /https?:\/\//)
})
