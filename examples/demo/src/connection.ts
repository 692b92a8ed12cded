import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { WebSocket } from 'ws'
import type { Behaviour } from './plan.ts'
import type { Ports } from './servers.ts'

/** A connection as a client holds it, whatever it is made over. */
export interface Connection {
  pause(): void
  resume(): void
  /** Calls back with the number of bytes of everything that arrives. */
  onBytes(read: (bytes: number) => void): void
  /** Closes in good order: FIN, or a close frame. */
  close(): void
  /** Breaks off: RST. */
  reset(): void
}

export async function connectTcp(behaviour: Behaviour, ports: Ports): Promise<Connection> {
  const socket = connect(ports.tcp, '127.0.0.1')
  await once(socket, 'connect')
  socket.write(`${behaviour}\n`)
  socket.resume()
  return {
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    onBytes: (read) => void socket.on('data', (chunk) => read(chunk.length)),
    close: () => void socket.end(),
    reset: () => void socket.resetAndDestroy(),
  }
}

export async function connectWebSocket(behaviour: Behaviour, ports: Ports): Promise<Connection> {
  const socket = new WebSocket(`ws://127.0.0.1:${ports.ws}/${behaviour}`)
  await once(socket, 'open')
  return {
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    onBytes: (read) => void socket.on('message', (data: Buffer) => read(data.length)),
    close: () => socket.close(1000),
    // ws has no way to reset; the socket under it has.
    reset: () => void (socket as unknown as { _socket: Socket })._socket.resetAndDestroy(),
  }
}
