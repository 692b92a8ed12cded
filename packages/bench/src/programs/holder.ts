import { getHeapStatistics } from 'node:v8'
import { medianOf } from '../statistics.ts'
import { type Connection, TRANSPORTS, type TransportName } from '../transport.ts'

/** The process that holds many connections, and wraps them. Needs `--expose-gc`. */
export interface HolderPlan {
  readonly transport: TransportName
  readonly connections: number
}

/** Of each connection; the heap after everything that can be collected was. */
export interface HolderSample {
  readonly bareHeapBytes: number
  /** What the guard adds, before and after one more message was sent on each. */
  readonly wrappedHeapBytes: number
  readonly usedHeapBytes: number
  /** Median of batches, and the first batch, which runs unoptimised code. */
  readonly wrapMicros: number
  readonly coldWrapMicros: number
}

const BATCH = 100
const plan = JSON.parse(process.argv[2] as string) as HolderPlan
const transport = TRANSPORTS[plan.transport]
const connections: Connection[] = []

process.on('disconnect', () => process.exit())
const startHeap = await settledHeap()
process.send?.(await transport.listen(plan.connections, (connection) => connections.push(connection)))

process.on('message', async () => {
  while (connections.length < plan.connections) await new Promise(setImmediate)
  const message = Buffer.alloc(64)
  const sendOne = () => {
    for (const connection of connections) transport.burst(connection, message, 1)
  }
  sendOne() // what a connection makes at its first message is its own, guarded or not
  const bare = await settledHeap()
  const micros = wrapAll()
  const wrapped = await settledHeap()
  sendOne()
  const used = await settledHeap()
  const sample: HolderSample = {
    bareHeapBytes: (bare - startHeap) / connections.length,
    wrappedHeapBytes: (wrapped - bare) / connections.length,
    usedHeapBytes: (used - bare) / connections.length,
    wrapMicros: medianOf(micros),
    coldWrapMicros: micros[0] as number,
  }
  process.send?.(sample)
})

/** Microseconds for each connection, by batch. */
function wrapAll(): number[] {
  const micros: number[] = []
  for (let first = 0; first < connections.length; first += BATCH) {
    const batch = connections.slice(first, first + BATCH)
    const begun = process.hrtime.bigint()
    for (const connection of batch) transport.wrap(connection)
    micros.push(Number(process.hrtime.bigint() - begun) / 1000 / batch.length)
  }
  return micros
}

/** Some of what one collection leaves behind goes with the next. */
async function settledHeap(): Promise<number> {
  for (let round = 0; round < 4; round++) {
    await new Promise((resolve) => setTimeout(resolve, 50))
    globalThis.gc?.()
  }
  return getHeapStatistics().used_heap_size
}
