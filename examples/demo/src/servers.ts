import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'
import { BEHAVIOURS, type Behaviour, type Over } from './plan.ts'

/** A client as the server's program sees it: somebody to send to. */
export interface Client {
  readonly behaviour: Behaviour
  readonly over: Over
  readonly socket: Socket | WebSocket
  send(message: Buffer): void
  /** Bytes the process holds for it: what Node and ws say, with and without a guard. */
  heldBytes(): number
  /** When it went, in milliseconds of `performance.now()`; `null` while it is connected. */
  goneAtMs: number | null
}

/** The ports, both on the loopback interface. */
export type Ports = Readonly<Record<Over, number>>

export interface Servers {
  readonly tcp: Server
  readonly ws: WebSocketServer
  readonly ports: Ports
  /** Ends both, with their connections. */
  close(): void
}

/**
 * A TCP server and a WebSocket server, as anybody writes them: not a word here about limits or failed sends.
 *
 * @param arrived called for each client once it has said who it is: over TCP by its first line, over WebSocket by path
 */
export async function startServers(arrived: (client: Client) => void): Promise<Servers> {
  const sockets = new Set<Socket>()
  const tcp = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    const client = { over: 'tcp', socket, heldBytes: () => socket.writableLength, goneAtMs: null } as const
    socket.once('data', (line) => {
      const send = (message: Buffer): void => void socket.write(message)
      welcome({ ...client, behaviour: behaviourOf(String(line)), send })
    })
  })
  const ws = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  ws.on('connection', (socket, request) => {
    const client = { over: 'ws', socket, heldBytes: () => socket.bufferedAmount, goneAtMs: null } as const
    const send = (message: Buffer): void => socket.send(message)
    welcome({ ...client, behaviour: behaviourOf(request.url?.slice(1)), send })
  })

  function welcome(client: Client): void {
    client.socket.on('error', () => {}) // a reset; 'close' follows
    client.socket.on('close', () => {
      client.goneAtMs = performance.now()
    })
    arrived(client)
  }

  function close(): void {
    for (const socket of sockets) socket.destroy()
    tcp.close()
    for (const socket of ws.clients) socket.terminate()
    ws.close()
  }

  tcp.listen(0, '127.0.0.1')
  await Promise.all([once(tcp, 'listening'), once(ws, 'listening')])
  const ports = { tcp: portOf(tcp), ws: portOf(ws) }
  return { tcp, ws, ports, close }
}

function behaviourOf(name: string | undefined): Behaviour {
  const found = BEHAVIOURS.find((behaviour) => behaviour === name?.trim())
  if (found === undefined) throw new Error(`a client called itself ${name}`)
  return found
}

function portOf(server: Server | WebSocketServer): number {
  return (server.address() as AddressInfo).port
}
