import cluster from 'node:cluster'
import { once } from 'node:events'
import net from 'node:net'
import { isMainThread, Worker } from 'node:worker_threads'
import { wrapServer } from '@sendfail/net'
import { publishStatus } from 'sendfail'

// A primary with two workers and a thread; says when all of them publish. Ends with its parent.
process.on('disconnect', () => process.exit())
if (!isMainThread) {
  await publishStatus({ name: 'many, a thread' }).ready
  setInterval(() => {}, 1000)
} else if (cluster.isPrimary) {
  const workers = [cluster.fork(), cluster.fork()]
  await Promise.all(workers.map((worker) => once(worker, 'message')))
  await publishStatus({ name: 'many' }).ready
  new Worker(new URL(import.meta.url))
  process.send?.('ready')
} else {
  await publishStatus({ name: 'many, a worker' }).ready
  const server = net.createServer()
  wrapServer(server)
  const accepted = once(server, 'connection')
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as net.AddressInfo
  for (let i = 0; i < 4; i++) net.connect(port, '127.0.0.1') // the primary hands them to the workers in turn
  await accepted
  process.send?.('ready')
}
