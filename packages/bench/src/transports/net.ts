import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { wrapSocket } from '@sendfail/net'
import type { Sender, Transport } from '../transport.ts'

export const stream: Sender<Socket> = {
  wrap(socket) {
    wrapSocket(socket)
  },
  burst(socket, message, count) {
    for (let left = count; left > 0; left--) socket.write(message)
  },
  buffered: (socket) => socket.writableLength,
  isBare: (socket) => !Object.hasOwn(socket, 'write'),
  wireBytes: (size) => size,
  acknowledged(socket, heard) {
    socket.on('data', (chunk) => heard(chunk.length))
  },
  acknowledgement: Buffer.from('+'),
}

/** Listens on a free port of this machine. */
export async function portOf(server: Server): Promise<number> {
  server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 })
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

export const net: Transport = {
  ...(stream as Sender),
  listen: (_connections, accept) => portOf(createServer({ noDelay: true }, accept)),
  async connect(port) {
    const socket = connect({ port, host: '127.0.0.1' })
    await once(socket, 'connect')
    return socket
  },
}
