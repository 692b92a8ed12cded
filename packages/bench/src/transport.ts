import type { Socket } from 'node:net'
import type { WebSocket } from 'ws'
import { net } from './transports/net.ts'
import { stubNet, stubWs } from './transports/stub.ts'
import { tls } from './transports/tls.ts'
import { type UwsConnection, uws } from './transports/uws.ts'
import { ws } from './transports/ws.ts'

export type Connection = Socket | UwsConnection | WebSocket
export type Message = Buffer | string

/** How one class of connection sends. */
export interface Sender<C extends Connection = Connection> {
  /** Puts the connection under guard, as the package for this class of socket exports it. */
  wrap(connection: C): void
  /** Sends a message `count` times. The loop stands here so that its one call is that of one class of socket. */
  burst(connection: C, message: Message, count: number): void
  /** Bytes that were sent and have not left the process. */
  buffered(connection: C): number
  /** Has the connection still the send function of its class? */
  isBare(connection: C): boolean
  /** What a message of `size` bytes is for the reader, which counts bytes and parses nothing. */
  wireBytes(size: number): number
  /** Calls `heard` with the number of acknowledgements that came in. */
  acknowledged(connection: C, heard: (count: number) => void): void
  /** What the reader writes to acknowledge. */
  readonly acknowledgement: Buffer
}

/** Both ends of one kind of connection: the server sends, the reader reads and acknowledges. */
export interface Transport extends Sender {
  /** Calls `accept` for each connection. Resolves to the port, or to `null` where no reader has to connect. */
  listen(connections: number, accept: (connection: Connection) => void): Promise<number | null>
  /** The reader's end. */
  connect(port: number): Promise<Socket>
}

export type TransportName = 'net' | 'tls' | 'uws' | 'ws' | 'stub-net' | 'stub-ws'

/** The names `--transports` takes. A stub takes every message at once; it shows the cost in JavaScript alone. */
export const TRANSPORTS: Readonly<Record<TransportName, Transport>> = {
  net,
  tls,
  uws,
  ws,
  'stub-net': stubNet,
  'stub-ws': stubWs,
}
