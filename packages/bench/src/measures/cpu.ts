import { type Case, Launch, type Round } from '../launch.ts'
import type { Options } from '../options.ts'
import { medianOf, type Spread, spreadOf } from '../statistics.ts'
import type { TransportName } from '../transport.ts'

/** CPU per message of the sending process, user and system. */
export interface CpuResult {
  readonly transport: TransportName
  readonly size: number
  readonly rounds: number
  readonly bareMicros: number
  /** Guarded over bare, round by round. */
  readonly ratio: Spread
  /** Bare over bare: what the same comparison finds where there is no difference. */
  readonly control: Spread
  /** The median of each set of processes: two of them never lie in memory alike. */
  readonly launches: readonly { readonly ratio: number; readonly control: number }[]
  /** Guarded minus bare, median. */
  readonly addedNanos: number
  /** Share of the guarded process's turns that left something in its buffer. */
  readonly backlogged: number
}

const WARM_UP_MS = 250

export async function measureCpu(
  transport: TransportName,
  size: number,
  options: Options,
): Promise<CpuResult> {
  const one: Case = { transport, size, data: options.data, mode: options.mode, nodeFlags: [] }
  const launches: Round[][] = []
  for (let number = 0; number < options.launches; number++)
    launches.push(await roundsOf(one, number, options))
  const rounds = launches.flat()
  const ratios = (of: readonly Round[]) =>
    of.map(({ bare, guarded }) => perMessage(guarded) / perMessage(bare))
  const controls = (of: readonly Round[]) =>
    of.map(({ bare, control }) => perMessage(control) / perMessage(bare))
  const turns = rounds.map(({ guarded }) => guarded.backloggedTurns / guarded.turns)
  return {
    transport,
    size,
    rounds: rounds.length,
    bareMicros: medianOf(rounds.map(({ bare }) => perMessage(bare))),
    ratio: spreadOf(ratios(rounds)),
    control: spreadOf(controls(rounds)),
    launches: launches.map((of) => ({ ratio: medianOf(ratios(of)), control: medianOf(controls(of)) })),
    addedNanos: 1000 * medianOf(rounds.map(({ bare, guarded }) => perMessage(guarded) - perMessage(bare))),
    backlogged: turns.reduce((sum, turn) => sum + turn, 0) / turns.length,
  }
}

function perMessage({ cpuMicros, messages }: { cpuMicros: number; messages: number }): number {
  return cpuMicros / messages
}

/** Warms up, finds how many messages a round takes, and runs the rounds. */
async function roundsOf(one: Case, number: number, { rounds, roundMs }: Options): Promise<Round[]> {
  const launch = await Launch.start(one, number)
  const messagesFor = (ms: number, { bare }: Round) => Math.ceil((1000 * ms) / perMessage(bare))
  const first = await launch.round(500)
  const warm = await launch.round(messagesFor(Math.min(WARM_UP_MS, 12 * roundMs), first))
  const messages = messagesFor(roundMs, warm)
  const measured: Round[] = []
  while (measured.length < rounds) measured.push(await launch.round(messages))
  await launch.finish()
  return measured
}
