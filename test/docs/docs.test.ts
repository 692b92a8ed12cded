import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { FAILURE_KINDS, RECEIVERS } from '@sendfail/core'
import { METRIC_ATTRIBUTES, METRIC_NAMES } from '@sendfail/otel'
import t, { type Test } from 'tap'
import { type Block, blocksOf } from './blocks.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const pages = readdirSync(join(root, 'docs')).filter((name) => name.endsWith('.md'))
const packages = readdirSync(join(root, 'packages')).map((name) => join(root, 'packages', name, 'README.md'))
const documents = [
  join(root, 'README.md'),
  join(root, 'CONTRIBUTING.md'),
  ...pages.map((name) => join(root, 'docs', name)),
  ...packages,
]
const read = (file: string) => readFileSync(file, 'utf8')
const existing = documents.filter((file) => readable(file))

function readable(file: string): boolean {
  try {
    return read(file) !== ''
  } catch {
    return false
  }
}

t.setTimeout(180_000)

t.test('every program in the documents runs and prints what the document shows', async (t) => {
  // inside the workspace, so that a program finds the packages and ws as a user's does
  const folder = mkdtempSync(join(root, 'test', 'docs', '.programs-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const blocks = existing.flatMap(blocksOf).filter((block) => block.language !== 'text')
  const programs: Block[] = []
  for (const block of blocks) {
    const name = nameOf(block)
    if (block.language === 'sh')
      t.ok(isRunElsewhere(block.code), `the commands of ${name} are run by another test`)
    else programs.push(block)
    t.match(block.language, /^(js|sh|ts)$/, `${name} is a program or commands`)
  }
  t.ok(programs.length > 3, `${programs.length} programs`)
  for (let first = 0; first < programs.length; first += 3) {
    await Promise.all(programs.slice(first, first + 3).map((block) => check(t, folder, block)))
  }
})

function nameOf(block: Block): string {
  return `${relative(root, block.file)}:${block.line}`
}

async function check(t: Test, folder: string, block: Block): Promise<void> {
  const name = nameOf(block)
  const file = join(folder, `${name.replace(/\W/g, '-')}.${block.language === 'ts' ? 'ts' : 'mjs'}`)
  writeFileSync(file, block.code)
  const { code, stdout, stderr } = await runProgram(file, block.output === null)
  t.equal(code, 0, `${name} runs`, { stderr })
  if (block.output !== null) t.equal(stdout, block.output, `${name} prints what follows it`)
}

/** Runs a program to its end; a server, which has none, until it has run for a while without a complaint. */
async function runProgram(
  file: string,
  mayServe: boolean,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const loader = ['--conditions=@sendfail/source', '--import', join(root, 'scripts', 'typescript.mjs')]
  const child = spawn(process.execPath, [...loader, file], { cwd: root, env: { ...process.env, PORT: '0' } })
  let stdout = ''
  let stderr = ''
  let stopped = false
  child.stdout.on('data', (text) => {
    stdout += text
  })
  child.stderr.on('data', (text) => {
    stderr += text
  })
  const timer = setTimeout(
    () => {
      stopped = child.kill() && mayServe
    },
    mayServe ? 6000 : 60_000,
  )
  const [code] = (await once(child, 'close')) as [number | null]
  clearTimeout(timer)
  return { code: stopped && stderr === '' ? 0 : code, stdout, stderr }
}

/** What a reader types: each of these is what a script, a test or CI itself runs. */
function isRunElsewhere(commands: string): boolean {
  const scripts = Object.keys((JSON.parse(read(join(root, 'package.json'))) as { scripts: object }).scripts)
  return commands
    .split('\n')
    .map((line) => line.replace(/#.*/, '').trim())
    .filter((line) => line !== '')
    .every((line) => {
      const pnpm = /^(?:[A-Z_]+='[^']*' )?npx -y pnpm (?:-s )?([\w:]+)( [\w./-]+)*$/.exec(line)
      if (pnpm !== null) return pnpm[1] === 'install' || scripts.includes(pnpm[1] as string)
      const install = /^npm install ((?:@sendfail\/\w+|sendfail|ws|@opentelemetry\/[\w-]+) ?)+$/.exec(line)
      const command = /^npx sendfail (status|connections|inspect)\b/.test(line) // by packages/cli/test/cli
      return command || install !== null // from tarballs, in test/pack
    })
}

t.test(
  'every reason, receiver, option, error code, metric and attribute has a heading of its own',
  async (t) => {
    const headings = (page: string) =>
      [...read(join(root, 'docs', page)).matchAll(/^### `(.+)`$/gm)].map((match) => match[1])
    const source = (file: string) => read(join(root, 'packages', 'core', 'src', file))
    const reasons = new Set(FAILURE_KINDS.map((kind) => kind.reason))
    t.same(headings('reasons.md').sort(), [...reasons, 'lost', 'refused', ...RECEIVERS].sort())
    const options = [...source('options.ts').matchAll(/^ {2}readonly (\w+)\?: /gm)].map((match) => match[1])
    t.same(headings('options.md').sort(), options.sort())
    const codes = [...source('errors.ts').matchAll(/^ {2}\| '(ERR_\w+)'/gm)].map((match) => match[1])
    t.same(headings('errors.md').sort(), codes.sort())
    t.same(headings('opentelemetry.md').sort(), [...METRIC_NAMES, ...METRIC_ATTRIBUTES].sort())
    const command = read(join(root, 'packages', 'cli', 'src', 'cli', 'main.ts'))
    const flags = [...command.matchAll(/(?:[oO]ption\(\s*'|'-w, )(--[^']+)'/g)].map((match) => match[1])
    t.same(
      headings('status.md')
        .filter((heading) => heading?.startsWith('--'))
        .sort(),
      flags.sort(),
    )
  },
)

t.test('every link between the documents leads somewhere', async (t) => {
  for (const file of existing) {
    for (const [, target] of read(file).matchAll(/\]\((?!https?:)([^)]+)\)/g)) {
      const [path, anchor] = (target as string).split('#') as [string, string | undefined]
      const aim = path === '' ? file : join(file, '..', path)
      const name = `${relative(root, file)} -> ${target}`
      if (anchor === undefined) t.doesNotThrow(() => readdirSync(join(aim, '..')), name)
      else t.ok(anchorsOf(aim).includes(anchor), name)
    }
  }
})

/** Anchors as GitHub makes them. */
function anchorsOf(file: string): string[] {
  return [...read(file).matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    (heading as string)
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-'),
  )
}
