import { socketStatus } from '@sendfail/core'
import type { Connection, Transport } from './transport.ts'

/** What was sent on a connection, by the benchmark's own count. */
interface Sends {
  readonly messages: number
  readonly bytes: number
}

export type ContenderName = 'bare' | 'guarded' | 'control'

/** One way to treat the socket that sends. */
interface Contender {
  prepare(transport: Transport, connection: Connection): void
  /** What is wrong with the measurement, or `null`: a fast path that refuses or counts nothing must not win. */
  problem(transport: Transport, connection: Connection, sends: Sends): string | null
}

const bare: Contender = {
  prepare() {},
  problem: (transport, connection) => (transport.isBare(connection) ? null : 'the bare socket is not bare'),
}

const guarded: Contender = {
  prepare(transport, connection) {
    transport.wrap(connection)
  },
  problem(transport, connection, { messages, bytes }) {
    if (transport.isBare(connection)) return 'the guarded socket is bare'
    const { sent, sentBytes, attempted, failed, pending } = socketStatus(connection)
    if (sent === messages && attempted === messages && sentBytes === bytes) return null
    return `sent ${messages} messages, ${bytes} bytes; counted ${JSON.stringify({ attempted, sent, sentBytes, failed, pending })}`
  },
}

/** The first is what all others are compared with; `control` is the same once more, and shows the noise. */
export const CONTENDERS: Readonly<Record<ContenderName, Contender>> = { bare, guarded, control: bare }
