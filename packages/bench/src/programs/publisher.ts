import net from 'node:net'
import { wrapSocket } from '@sendfail/net'
import { publishStatus } from 'sendfail'
import type { Connection } from '../transport.ts'
import { TRANSPORTS } from '../transport.ts'

/** The process that is listed: holds connections, and tells how long each turn of its event loop took. */
export interface PublisherPlan {
  /** Real ones; the rest are sockets that never connect, which a listing treats alike. */
  readonly connections: number
  readonly idle: number
}

/** The longest turns of the event loop between two questions, in milliseconds. */
export interface TurnsSample {
  readonly longestMs: number
  readonly turns: number
}

const plan = JSON.parse(process.argv[2] as string) as PublisherPlan
const transport = TRANSPORTS.net
const connections: Connection[] = []
const idle: net.Socket[] = []
let longestMs = 0
let turns = 0

process.on('disconnect', () => process.exit())
await publishStatus({ name: 'bench' }).ready
process.send?.(await transport.listen(plan.connections, (connection) => connections.push(connection)))

process.once('message', async () => {
  while (connections.length < plan.connections) await new Promise(setImmediate)
  for (const connection of connections) transport.wrap(connection)
  for (let i = 0; i < plan.idle; i++) idle.push(wrapSocket(new net.Socket()))
  turn(performance.now())
  process.send?.('ready')
  process.on('message', () => {
    process.send?.({ longestMs, turns } satisfies TurnsSample)
    longestMs = 0
    turns = 0
  })
})

function turn(lastMs: number): void {
  const nowMs = performance.now()
  longestMs = Math.max(longestMs, nowMs - lastMs)
  turns++
  setImmediate(turn, nowMs)
}
