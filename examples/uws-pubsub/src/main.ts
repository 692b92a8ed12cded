import { setTimeout as sleep } from 'node:timers/promises'
import { adviceFor, type SocketStatus, socketStatus } from '@sendfail/uws'
import { WebSocket } from 'ws'
import { LIMIT_BYTES, PubSubServer } from './server.ts'

const NEWS = new Uint8Array(64 * 1024)
const ROUNDS = 300

const seen = new Set<string>()
let over = false
const server = new PubSubServer(({ reason, receiver, stage }, ws) => {
  const line = `${ws.getUserData().name}: ${stage}, ${reason}${receiver === null ? '' : `, receiver ${receiver}`}`
  if (!over && !seen.has(line)) console.log(`first ${line}`)
  seen.add(line)
})
const port = await server.listen()
const clients = new Map<string, WebSocket>()
for (const name of ['reads', 'stops', 'closes']) {
  const client = new WebSocket(`ws://127.0.0.1:${port}/?name=${name}`)
  client.on('error', () => {})
  clients.set(name, client)
}
while (server.subscribers.size < clients.size) await sleep(5)

for (let round = 0; round < ROUNDS; round++) {
  if (round === 20) clients.get('stops')?.pause()
  if (round === 40) clients.get('closes')?.close()
  server.publish(NEWS)
  for (const name of clients.keys()) server.send(name, `round ${round}`)
  await sleep(2)
}

over = true
const reads = server.subscribers.get('reads') as object
while (socketStatus(reads).pending > 0) await sleep(5)

console.log('\nsubscriber  attempted  sent  failed  pending  why')
for (const [name, ws] of server.subscribers) {
  const status = socketStatus(ws)
  const columns = [status.attempted, status.sent, status.failed, status.pending].map(String)
  const [attempted, sent, failed, pending] = columns as [string, string, string, string]
  const row = [
    name.padEnd(10),
    attempted.padStart(9),
    sent.padStart(4),
    failed.padStart(6),
    pending.padStart(7),
  ]
  console.log([...row, reasonsOf(status)].join('  '))
}
console.log(
  `\nThe limit is ${LIMIT_BYTES} bytes a subscriber. Of what was published only what uWS dropped is counted.`,
)

const problems = [...server.subscribers].flatMap(([name, ws]) => problemsOf(name, socketStatus(ws)))
for (const problem of problems) console.error(problem)
process.exitCode = problems.length === 0 ? 0 : 1
for (const client of clients.values()) client.terminate()
server.close()

function reasonsOf({ failures }: SocketStatus): string {
  const lines = failures.map(
    ({ count, reason, receiver }) => `${count} ${reason}: ${adviceFor(reason, receiver)}`,
  )
  return lines.join('\n'.padEnd(46)) || '-'
}

/** The example checks itself. */
function problemsOf(name: string, { attempted, failed, failures, pending, sent }: SocketStatus): string[] {
  const wanted = { reads: [], stops: ['buffer_full'], closes: ['client_closed'] }[name] ?? []
  const found = [...new Set(failures.map(({ reason }) => reason))]
  const problems = String(found) === String(wanted) ? [] : [`${name}: failed for ${found}, not for ${wanted}`]
  return attempted === sent + failed + pending
    ? problems
    : [...problems, `${name}: the figures do not add up`]
}
