import { FAILURE_KINDS } from './reason.ts'

/** The values of OpenTelemetry's `network.transport` that apply here. `pipe` is a Windows named pipe. */
export type NetworkTransport = 'pipe' | 'tcp' | 'unix'

/** The values of `network.protocol.name` that apply here; `null` where the protocol is the application's own. */
export type ProtocolName = 'http' | 'websocket' | null

/** What tells one series from another. `meter` is the package that guards the socket, the name of its OTel meter. */
export interface SeriesKey {
  readonly meter: string
  readonly transport: NetworkTransport
  readonly protocol: ProtocolName
}

/**
 * The counters of all connections of one kind in this process. Counting is addition into this fixed shape; nothing is
 * ever subtracted from what is exported as a counter.
 */
export class Series implements SeriesKey {
  readonly meter: string
  readonly transport: NetworkTransport
  readonly protocol: ProtocolName
  sent = 0
  sentBytes = 0
  pending = 0
  pendingBytes = 0
  /** Sum of the finite limits of the open connections. */
  limitBytes = 0
  /** Connections open now. */
  connections = 0
  /** How often a connection reached its limit. */
  fullCount = 0
  /** Messages that `observe` let through although the limit was reached. */
  overLimit = 0
  /** Failed messages, one place for each of `FAILURE_KINDS`. */
  readonly failed: Float64Array = new Float64Array(FAILURE_KINDS.length)
  /** Failed bytes, likewise. */
  readonly failedBytes: Float64Array = new Float64Array(FAILURE_KINDS.length)

  constructor(key: SeriesKey) {
    this.meter = key.meter
    this.transport = key.transport
    this.protocol = key.protocol
  }
}
