import { PerformanceObserver } from 'node:perf_hooks'
import type { ContenderName } from '../contender.ts'
import { Lane, type Sample } from '../lane.ts'
import { TRANSPORTS, type TransportName } from '../transport.ts'

/** The process whose CPU is measured: it sends on one connection for each contender it is given. */
export interface ServerPlan {
  readonly transport: TransportName
  readonly contenders: readonly ContenderName[]
  readonly size: number
  readonly data: 'buffer' | 'string'
}

/** Send so many messages on one of the connections, or (`lane` `null`) say what is wrong with what was sent. */
export interface ServerQuestion {
  readonly lane: number | null
  readonly messages: number
}

/** What one round cost. */
export interface ServerAnswer extends Sample {
  /** Collections during the round; after one, the growth of the heap says nothing. Counted under `--expose-gc` only. */
  readonly collections: number
}

const plan = JSON.parse(process.argv[2] as string) as ServerPlan
const transport = TRANSPORTS[plan.transport]
const message = plan.data === 'string' ? 'm'.repeat(plan.size) : Buffer.alloc(plan.size, 'm')
const acknowledges = !plan.transport.startsWith('stub')
const lanes: Lane[] = []
let collections = 0
if (globalThis.gc !== undefined) {
  new PerformanceObserver((list) => {
    collections += list.getEntries().length
  }).observe({ entryTypes: ['gc'] })
}

process.on('disconnect', () => process.exit())
const port = await transport.listen(plan.contenders.length, (connection) => {
  const contender = plan.contenders[lanes.length] as ContenderName
  lanes.push(new Lane(transport, connection, contender, message, acknowledges))
})
process.send?.(port)

process.on('message', async ({ lane, messages }: ServerQuestion) => {
  while (lanes.length < plan.contenders.length) await new Promise(setImmediate)
  if (lane === null) {
    const problems = await Promise.all(lanes.map((one) => one.problem()))
    process.send?.(problems.filter((problem) => problem !== null))
    return
  }
  if (globalThis.gc !== undefined) await collect()
  const before = collections
  const sample = await (lanes[lane] as Lane).run(messages)
  if (globalThis.gc !== undefined) await pause()
  process.send?.({ ...sample, collections: collections - before } satisfies ServerAnswer)
})

/** Collects, and waits until the collection was counted. */
async function collect(): Promise<void> {
  globalThis.gc?.()
  await pause()
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 10))
}
