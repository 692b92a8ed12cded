import type { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { WebSocketServer } from 'ws'
import type { Connection, Sender, Transport } from '../transport.ts'
import { stream } from './net.ts'
import { framed, HANDSHAKE } from './ws.ts'

/** A socket without a handle that takes every message within the call, as a kernel with room does. */
class Sink extends Socket {
  override _write(_chunk: unknown, _encoding: unknown, callback: () => void): void {
    callback()
  }

  override _writev(_chunks: unknown, callback: () => void): void {
    callback()
  }

  override _read(): void {}
}

const unread = {
  acknowledged(): void {},
  connect: (): Promise<Socket> => Promise.reject(new Error('nothing to connect to')),
}

export const stubNet: Transport = {
  ...(stream as Sender),
  ...unread,
  async listen(connections, accept) {
    for (let left = connections; left > 0; left--) accept(new Sink())
    return null
  },
}

export const stubWs: Transport = {
  ...(framed as Sender),
  ...unread,
  async listen(connections, accept: (connection: Connection) => void) {
    const server = new WebSocketServer({ noServer: true })
    const request = { method: 'GET', url: '/', headers: HANDSHAKE } as unknown as IncomingMessage
    for (let left = connections; left > 0; left--) {
      server.handleUpgrade(request, new Sink(), Buffer.alloc(0), accept)
    }
    return null
  },
}
