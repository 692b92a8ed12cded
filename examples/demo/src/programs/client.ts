/**
 * One client program: connects over TCP and over WebSocket, and behaves on both as it is told.
 *   node client.js <behaviour> <tcp port> <ws port>
 * Starts when its parent says so, and ends with it.
 */
import { type Connection, connectTcp, connectWebSocket } from '../connection.ts'
import { type Behaviour, READS } from '../plan.ts'

const BEHAVE: Readonly<Record<Behaviour, (connection: Connection) => void>> = {
  healthy: () => {},
  burst: () => {},
  closes: (connection) => void setTimeout(() => connection.close(), READS.closeAfterMs),
  resets: (connection) => {
    connection.pause()
    setTimeout(() => connection.reset(), READS.resetAfterMs)
  },
  // At once, because the kernel's receive buffer grows with what is read, and would swallow the feed for a long time.
  stops: (connection) => connection.onBytes(() => connection.pause()),
  slow: (connection) => {
    connection.onBytes((bytes) => {
      connection.pause()
      setTimeout(() => connection.resume(), (bytes / READS.slowBytesPerSecond) * 1000)
    })
  },
}

process.on('disconnect', () => process.exit()) // the demo ended, however it did
process.on('SIGINT', () => {}) // Ctrl-C reaches the whole group of processes; the demo ends this one

const [behaviour, tcp, ws] = process.argv.slice(2) as [Behaviour, string, string]
const ports = { tcp: Number(tcp), ws: Number(ws) }
const connections = await Promise.all([connectTcp(behaviour, ports), connectWebSocket(behaviour, ports)])
process.once('message', () => {
  for (const connection of connections) BEHAVE[behaviour](connection)
})
