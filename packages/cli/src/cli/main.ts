#!/usr/bin/env node
import { setTimeout as sleep } from 'node:timers/promises'
import { Command, InvalidArgumentError, Option } from 'commander'
import { DIRECTORY_VARIABLE, DirectoryError, statusDirectory } from '../directory.ts'
import { VERSION } from '../version.ts'
import type { Selection } from './connections-view.ts'
import { type Condition, ConditionError, conditionOf } from './fail-on.ts'
import { CLOSED_FIELDS, type Field, fieldCalled, LIVE_FIELDS } from './fields.ts'
import { FilterError, filterOf } from './filter.ts'
import { screenOf } from './screen.ts'
import { type Shown, Views } from './views.ts'
import { type ViewName, Watch } from './watch.ts'

/** What the command exits with. */
const EXIT = { fine: 0, usage: 1, nothing: 2, met: 3 } as const

interface Common {
  readonly dir?: string
  readonly json?: boolean
  readonly watch?: number | true
}

interface Listing extends Common {
  readonly closed?: boolean
  readonly filter?: string[]
  readonly limit?: number
  readonly reverse?: boolean
  readonly sort?: string
}

process.stdout.on('error', ({ code }: NodeJS.ErrnoException) =>
  process.exit(code === 'EPIPE' ? EXIT.fine : EXIT.usage),
)

const program = new Command('sendfail')
  .description('Which sends of your Node servers fail, why, and what to do about it.')
  .version(VERSION)
  .showHelpAfterError('(--help says more)')

const common = (command: Command) =>
  command
    .option('--json', 'for programs; with --watch one document a line')
    .addOption(new Option('--dir <path>', 'where the processes publish').env(DIRECTORY_VARIABLE))

const watched = (command: Command) =>
  common(command).option('-w, --watch [seconds]', 'show it again and again; 2 seconds unless told', seconds)

watched(program.command('status'))
  .description('every publishing process of this user, how many sends failed, and why')
  .option(
    '--fail-on <name=number>',
    'exit with 3 if the number is reached, such as stalled=1; may be repeated',
    condition,
    [],
  )
  .addHelpText(
    'after',
    '\nExamples:\n  sendfail status\n  sendfail status --watch 5\n  sendfail status --json --fail-on stalled=1 --fail-on server_closed=100',
  )
  .action(async (options: Common & { failOn: Condition[] }) => {
    const views = viewsOf(options)
    await show(
      options,
      'status',
      { filters: [], sort: null, reverse: false, limit: Number.POSITIVE_INFINITY },
      views,
      async () => {
        const shown = await views.status(
          screenOf(process.stdout),
          options.failOn,
          options.watch === undefined,
        )
        for (const { atLeast, is, name } of shown.document.met) {
          process.stderr.write(`${name} is ${is}, at least ${atLeast}\n`)
          process.exitCode = EXIT.met
        }
        return shown
      },
    )
  })

watched(program.command('connections'))
  .description('the connections of those processes, or those that closed last')
  .option('--closed', 'the last 1000 that closed: who closed, why, and what was lost')
  .option('--sort <field>', 'order by a field; the largest number first')
  .option('--reverse', 'the other way round')
  .option(
    '--filter <expression>',
    'such as state=stalled, sendq>1MiB, foreign=10.0.; may be repeated',
    repeated,
    [],
  )
  .option('--limit <number>', 'show so many at most; 1000 unless told', whole)
  .addHelpText(
    'after',
    '\nExamples:\n  sendfail connections --sort age --limit 20\n  sendfail connections --filter state=stalled --filter "age>1m"\n  sendfail connections --closed --filter by=client --json',
  )
  .action(async (options: Listing, command: Command) => {
    const selection = options.closed
      ? selectionOf(options, CLOSED_FIELDS, command)
      : selectionOf(options, LIVE_FIELDS, command)
    const views = viewsOf(options)
    await show(options, options.closed ? 'closed' : 'connections', selection, views, () => {
      const screen = screenOf(process.stdout)
      return options.closed ? views.closed(screen, selection) : views.connections(screen, selection)
    })
  })

common(program.command('inspect'))
  .description("one connection's whole story")
  .argument('<id>', 'as `sendfail connections` shows it, such as 4711.12')
  .action(async (id: string, options: Common, command: Command) => {
    const shown = await viewsOf(options).inspect(screenOf(process.stdout), id)
    if (typeof shown === 'string') command.error(`error: ${shown}`)
    else print(options, shown)
  })

try {
  await program.parseAsync()
} catch (error) {
  if (!(error instanceof DirectoryError)) throw error
  process.stderr.write(`error: ${error.message}\n`)
  process.exitCode = EXIT.nothing
}

function viewsOf({ dir }: Common): Views {
  return new Views(dir ?? statusDirectory())
}

/** Checked before anybody is asked, and before a terminal is redrawn. */
function selectionOf<R>(options: Listing, fields: readonly Field<R>[], command: Command): Selection {
  const { filter = [], limit = 1000, reverse = false, sort } = options
  const by = sort === undefined ? null : fieldCalled(sort, fields)
  if (by === undefined) {
    const names = fields.map(({ name }) => name).join(', ')
    command.error(`error: --sort takes ${names}; got ${sort}`)
  }
  try {
    for (const text of filter) filterOf(text, fields)
  } catch (error) {
    if (error instanceof FilterError) command.error(`error: ${error.message}`)
    throw error
  }
  return { filters: filter, sort: by?.name ?? null, reverse, limit }
}

/** Once, or until somebody quits; on a terminal in place. */
async function show(
  options: Common,
  name: ViewName,
  selection: Selection,
  views: Views,
  make: () => Promise<Shown>,
): Promise<void> {
  const everyMs = options.watch === true ? 2000 : (options.watch ?? 0) * 1000
  if (everyMs > 0 && !options.json && process.stdout.isTTY) {
    await new Watch(views, name, selection, everyMs).run()
    process.exit(EXIT.fine) // nobody waits for an answer any more
  }
  for (;;) {
    const shown = await make()
    print(options, shown)
    if (everyMs === 0) {
      if (shown.processes === 0) process.exitCode = EXIT.nothing
      return
    }
    await sleep(everyMs)
  }
}

function print({ json, watch }: Common, { document, lines }: Shown): void {
  if (json === true) process.stdout.write(`${JSON.stringify(document, null, watch === undefined ? 2 : 0)}\n`)
  else process.stdout.write(`${lines.join('\n')}\n${watch === undefined ? '' : '\n'}`)
}

function seconds(text: string): number {
  const value = Number(text)
  if (value >= 0.2 && value <= 86_400) return value
  throw new InvalidArgumentError('It takes 0.2 to 86400 seconds.')
}

function whole(text: string): number {
  const value = Number(text)
  if (Number.isSafeInteger(value) && value > 0) return value
  throw new InvalidArgumentError('It takes a positive integer.')
}

function repeated(text: string, before: string[]): string[] {
  return [...before, text]
}

function condition(text: string, before: Condition[]): Condition[] {
  try {
    return [...before, conditionOf(text)]
  } catch (error) {
    if (error instanceof ConditionError) throw new InvalidArgumentError(error.message)
    throw error
  }
}
