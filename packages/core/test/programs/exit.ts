// Leaves nothing behind but a closed, an idle and a backlogged connection, the last two unref'd, and an unref'd server.
// Prints what still counts as active when it exits by itself.
//   node exit.ts wrapped|bare
import { once } from 'node:events'
import net, { type AddressInfo } from 'node:net'
import { socketStatus, wrapSocket } from '../../src/index.ts'

const wrapped = process.argv[2] === 'wrapped'
const wrap = (socket: net.Socket) => {
  if (wrapped) wrapSocket(socket, { maxSendBufferSize: 1024, closeAfterStallMs: 3_600_000 })
}

const server = net.createServer().listen(0, '127.0.0.1')
await once(server, 'listening')
server.unref()
server.on('connection', wrap)

async function connect(): Promise<[net.Socket, net.Socket]> {
  const client = net.connect((server.address() as AddressInfo).port, '127.0.0.1')
  wrap(client)
  const [socket] = (await once(server, 'connection')) as [net.Socket]
  return [client, socket]
}

const closed = await connect()
for (const socket of closed) socket.destroy()
const idle = await connect()
const backlogged = await connect()
// Corked: a write that libuv has in flight would keep the process alive, bare or not.
backlogged[1].cork()
backlogged[1].write(Buffer.alloc(1024 * 1024))
backlogged[1].write('refused where there is a limit')
for (const socket of [...idle, ...backlogged]) socket.unref()

process.on('exit', () => {
  const failed = wrapped ? socketStatus(backlogged[1]).failed : 0
  console.log(JSON.stringify({ active: process.getActiveResourcesInfo().sort(), failed }))
})
