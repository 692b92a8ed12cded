import { Child } from '../child.ts'
import { openFileLimit, SPARE_FILES } from '../files.ts'
import type { HolderPlan, HolderSample } from '../programs/holder.ts'
import type { ReaderPlan } from '../programs/reader.ts'
import type { TransportName } from '../transport.ts'

/** Heap per socket and time to wrap one, on many real connections of one process. */
export interface SocketsResult extends HolderSample {
  readonly transport: TransportName
  readonly connections: number
}

/** As many connections as were asked for, or as a process may open. */
export async function measureSockets(transport: TransportName, wanted: number): Promise<SocketsResult> {
  const connections = Math.min(wanted, openFileLimit() - SPARE_FILES)
  const holder = new Child('holder', { transport, connections } satisfies HolderPlan, ['--expose-gc'])
  const port = await holder.next<number>()
  const plan: ReaderPlan = { transport, port, connections, acknowledgeBytes: Number.MAX_SAFE_INTEGER }
  const reader = new Child('reader', plan)
  await reader.next()
  const sample = await holder.ask<HolderSample>({})
  await Promise.all([holder.stop(), reader.stop()])
  return { transport, connections, ...sample }
}
