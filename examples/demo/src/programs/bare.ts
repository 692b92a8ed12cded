/**
 * The same two servers and the same production without sendfail, for the comparison of memory. Tells its parent its
 * ports, starts sending when told to, and reports what it holds.
 */
import { readMemory } from '../memory.ts'
import { RUN } from '../plan.ts'
import { Production } from '../production.ts'
import { startServers } from '../servers.ts'

process.on('disconnect', () => process.exit()) // the demo ended, however it did
process.on('SIGINT', () => {}) // Ctrl-C reaches the whole group of processes; the demo ends this one

const production = new Production()
const { ports } = await startServers((client) => {
  production.add(client)
  process.send?.({ clients: production.all.length })
})
process.once('message', () => {
  const report = (): void => void process.send?.({ memory: readMemory(production) })
  report()
  production.start()
  setInterval(report, RUN.lookMs)
})
process.send?.({ ports })
