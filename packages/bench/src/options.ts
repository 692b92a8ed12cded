import { parseArgs } from 'node:util'
import { TRANSPORTS, type TransportName } from './transport.ts'
import { hasNativeUws } from './transports/uws.ts'

/** All contenders on connections of one process, or each in a process of its own. */
export type Mode = 'processes' | 'sockets'
const MEASURES = ['cpu', 'allocation', 'sockets', 'stub', 'listing'] as const
type Measure = (typeof MEASURES)[number]

export interface Options {
  readonly measures: readonly Measure[]
  readonly transports: readonly TransportName[]
  readonly sizes: readonly number[]
  readonly data: 'buffer' | 'string'
  readonly mode: Mode
  readonly launches: number
  readonly rounds: number
  readonly roundMs: number
  readonly sockets: number
  readonly listed: number
  readonly json: boolean
}

export const HELP = `Compares guarded sockets with bare ones, paired and alternating. Nothing is asserted about time.

  --measure cpu,allocation,sockets,stub,listing   what to measure (all)
  --transports net,ws,tls,uws             on which sockets; uws where there is a binary of it for this Node
  --sizes 64,1024,65536                   bytes of a message
  --data buffer|string                    what a message is (buffer)
  --mode processes|sockets                each contender in a process of its own, or all in one, where what one
                                          teaches the optimising compiler bears on the others (processes)
  --launches 12                           how often the processes are started anew
  --rounds 30                             rounds of each contender in a launch
  --round-ms 20                           CPU of one round, about
  --sockets 10000                         connections held by one process
  --listed 50000                          connections of the process whose status is asked for
  --smoke                                 little of everything: shows that it runs, measures nothing
  --json                                  for programs
`

const SMOKE = {
  launches: '1',
  rounds: '2',
  'round-ms': '5',
  sockets: '200',
  listed: '500',
  sizes: '64',
  mode: 'sockets',
} as const

/** Reads the command line; `null` if help was asked for. */
export function readOptions(args: readonly string[]): Options | null {
  const { values } = parseArgs({
    args: args.filter((arg) => arg !== '--'),
    options: {
      measure: { type: 'string', default: MEASURES.join(',') },
      transports: { type: 'string', default: hasNativeUws() ? 'net,ws,tls,uws' : 'net,ws,tls' },
      sizes: { type: 'string' },
      data: { type: 'string', default: 'buffer' },
      mode: { type: 'string' },
      launches: { type: 'string' },
      rounds: { type: 'string' },
      'round-ms': { type: 'string' },
      sockets: { type: 'string' },
      listed: { type: 'string' },
      smoke: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return null
  const preset = values.smoke ? SMOKE : undefined
  return {
    measures: list('measure', values.measure, MEASURES),
    transports: list('transports', values.transports, Object.keys(TRANSPORTS) as TransportName[]),
    sizes: (values.sizes ?? preset?.sizes ?? '64,1024,65536').split(',').map((size) => whole('sizes', size)),
    data: one('data', values.data, ['buffer', 'string']),
    mode: one('mode', values.mode ?? preset?.mode ?? 'processes', ['processes', 'sockets']),
    launches: whole('launches', values.launches ?? preset?.launches ?? '12'),
    rounds: whole('rounds', values.rounds ?? preset?.rounds ?? '30'),
    roundMs: whole('round-ms', values['round-ms'] ?? preset?.['round-ms'] ?? '20'),
    sockets: whole('sockets', values.sockets ?? preset?.sockets ?? '10000'),
    listed: whole('listed', values.listed ?? preset?.listed ?? '50000'),
    json: values.json,
  }
}

function list<T extends string>(name: string, given: string, known: readonly T[]): T[] {
  return given.split(',').map((item) => one(name, item, known))
}

function one<T extends string>(name: string, given: string, known: readonly T[]): T {
  if ((known as readonly string[]).includes(given)) return given as T
  throw new RangeError(`--${name} takes ${known.join(', ')}; got ${given}`)
}

function whole(name: string, given: string): number {
  const value = Number(given)
  if (Number.isInteger(value) && value > 0) return value
  throw new RangeError(`--${name} takes positive integers; got ${given}`)
}
