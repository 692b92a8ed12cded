import type { Server } from 'node:net'
import type { ErrorFacts } from './closer.ts'
import type { Endpoints } from './endpoints.ts'
import type { Guard } from './guard.ts'
import type { SeriesKey } from './series.ts'

/**
 * What the core asks of a kind of socket. A transport is a flat record of small functions; it holds no state of its
 * own and decides nothing that two transports would decide alike. The sentences below are the contract, numbered as in
 * the conformance suite, which runs each of them against every transport on real sockets.
 *
 *  1. A send that the operating system takes at once is counted sent when the call returns.
 *  2. A send that has to wait is pending until its last byte has left, and then sent.
 *  3. A send that finds the limit reached is refused: it never reaches the peer, nothing throws, no 'error' is emitted.
 *  4. A refused send tells its caller so in the transport's own way, and its callback runs on a later tick.
 *  5. After the buffer was full and is empty again the caller is told, once.
 *  6. A send on a closed connection is refused with who closed first, never as full.
 *  7. What is pending when the connection ends is lost with the first cause; what had left by then is sent.
 *  8. What the peer received completely is never counted failed, on a connection that it reads to the end.
 *  9. Progress is seen while one huge message drains.
 * 10. Protocol frames (ping, pong, close) and the last message of `end` are never refused.
 * 11. A call that throws on the bare socket (a wrong type) throws the same on the guarded one and is not counted.
 * 12. Every callback of the user runs exactly once.
 * 13. `uninstall` leaves the socket exactly as `install` found it.
 * 14. Destroying by policy ends the connection without an 'error' event.
 */
export interface Transport<S extends object = object> {
  /** The series a socket is counted in; asked once, when it is wrapped. */
  series(socket: S): SeriesKey

  /** Does this connection carry HTTP now? Asked when it is wrapped and when its options change. */
  carriesHttp(socket: S): boolean

  /** Puts the guarded doors (`write`, `end`, `send`, …) on the socket. Called once for a guard. */
  install(guard: Guard<S>): void

  /** Takes them off again. */
  uninstall(guard: Guard<S>): void

  /** Has the connection ended already? A guard made for such a socket refuses from the start. */
  ended(socket: S): boolean

  /** The error that destroyed or failed the connection, if one did. */
  failure(socket: S): ErrorFacts | null

  /**
   * How much this process still holds for the connection, in any unit: 0 when, and only when, every byte of every
   * message has been handed to the operating system. Meaningless once {@link failure} answers or the connection ended.
   */
  buffered(socket: S): number

  /**
   * Of the stream, how many bytes at its end have not been handed to the operating system: an upper bound, in the unit
   * of the wire sizes given to `Guard.queued`; `Infinity` where it cannot be known. Asked when the connection ends.
   *
   * @param wireBytes the wire sizes of all that waits, added up
   */
  unsentBytes(socket: S, wireBytes: number): number

  /**
   * A number that grows whenever a queued message is handed down to be written, whether it leaves or not; `NaN` where
   * there is none. When a write fails it tells whether that was the first of the backlog or one behind it.
   */
  dispatchedBytes(socket: S): number

  /** A number that changes whenever a byte leaves, also in the middle of one write or batch. */
  progress(socket: S): number

  /** Has the peer closed its side: a FIN or a close frame has arrived? */
  peerClosed(socket: S): boolean

  /** Does the kernel still call the connection established? `false` where it cannot be asked. */
  established(socket: S): boolean

  /** The two ends of the connection. Asked only for a list of connections. */
  endpoints(socket: S): Endpoints

  /** The server that accepted the connection, `null` where that is not known. Asked only for a list of connections. */
  acceptedBy(socket: S): Server | null

  /** Bytes that were read from the peer, of the protocol's frames too; `NaN` where that is not known. */
  receivedBytes(socket: S): number

  /** Ends the connection at once. Leads to `Guard.end` before it returns. */
  destroy(socket: S): void

  /**
   * True for a transport that reports no completion of a message: the guard then takes messages off its list as
   * {@link buffered} falls, which must be in the unit of the wire sizes.
   */
  readonly settlesByAmount: boolean
}
