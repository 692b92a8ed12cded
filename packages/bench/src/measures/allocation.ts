import { type Case, Launch, type Round } from '../launch.ts'
import type { Options } from '../options.ts'
import { type Spread, spreadOf } from '../statistics.ts'
import type { TransportName } from '../transport.ts'

/** Growth of the heap per send, with a young generation so large that nothing is collected meanwhile. */
export interface AllocationResult {
  readonly transport: TransportName
  readonly size: number
  /** Rounds without a collection. */
  readonly rounds: number
  readonly bareBytes: Spread
  /** Guarded minus bare. */
  readonly addedBytes: Spread
  /** Bare minus bare. */
  readonly controlBytes: Spread
}

const NODE_FLAGS = ['--expose-gc', '--min-semi-space-size=128', '--max-semi-space-size=128']
const MESSAGES = 20_000
const WARM_UP_ROUNDS = 3

export async function measureAllocation(
  transport: TransportName,
  size: number,
  { data, mode, rounds, roundMs }: Options,
): Promise<AllocationResult> {
  const one: Case = { transport, size, data, mode, nodeFlags: NODE_FLAGS }
  const messages = Math.ceil(Math.min(MESSAGES, 1000 * roundMs) / Math.max(1, size / 8192))
  const launch = await Launch.start(one, 0)
  for (let left = WARM_UP_ROUNDS; left > 0; left--) await launch.round(messages)
  const measured: Round[] = []
  for (let left = rounds; left > 0; left--) {
    const round = await launch.round(messages)
    if (Object.values(round).every(({ collections }) => collections === 0)) measured.push(round)
  }
  await launch.finish()
  const spread = (bytes: (round: Round) => number) =>
    spreadOf(measured.map((round) => bytes(round) / messages))
  return {
    transport,
    size,
    rounds: measured.length,
    bareBytes: spread(({ bare }) => bare.heapBytes),
    addedBytes: spread(({ bare, guarded }) => guarded.heapBytes - bare.heapBytes),
    controlBytes: spread(({ bare, control }) => control.heapBytes - bare.heapBytes),
  }
}
