import { createServer, get, type IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import { wrapSocket } from '@sendfail/ws'
import { type WebSocket, WebSocketServer } from 'ws'
import type { Connection, Sender, Transport } from '../transport.ts'
import { portOf } from './net.ts'

export const framed: Sender<WebSocket> = {
  wrap(socket) {
    wrapSocket(socket)
  },
  burst(socket, message, count) {
    for (let left = count; left > 0; left--) socket.send(message)
  },
  buffered: (socket) => socket.bufferedAmount,
  isBare: (socket) => !Object.hasOwn(socket, 'send'),
  /** https://www.rfc-editor.org/rfc/rfc6455#section-5.2 */
  wireBytes: (size) => size + (size < 126 ? 2 : size < 65536 ? 4 : 10),
  acknowledged(socket, heard) {
    socket.on('message', () => heard(1))
  },
  /** A binary message of one byte, masked with zeros. */
  acknowledgement: Buffer.from([0x82, 0x81, 0, 0, 0, 0, 0x2b]),
}

export const HANDSHAKE: Record<string, string> = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
}

export const ws: Transport = {
  ...(framed as Sender),
  listen(_connections, accept: (connection: Connection) => void) {
    const server = createServer()
    new WebSocketServer({ server }).on('connection', accept)
    return portOf(server)
  },
  connect: (port) =>
    new Promise((resolve, reject) => {
      const request = get({ port, host: '127.0.0.1', headers: HANDSHAKE, agent: false })
      request.on('upgrade', (_response: IncomingMessage, socket: Socket) => resolve(socket))
      request.on('error', reject)
    }),
}
