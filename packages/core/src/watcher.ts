/**
 * Hears of every connection of the process, for whoever lists them. There is none unless a status is published; then each
 * call costs what the watcher does. `connection` is a `Guard`, of whichever copy of the library.
 */
export interface Watcher {
  /** An open socket was wrapped. Its doors are not installed yet. */
  opened(connection: object): void
  /** It reached its limit. */
  full(connection: object): void
  /** A send to it failed because its receiver is slow. */
  slow(connection: object): void
  /** Its buffer is empty again after it was full. */
  drained(connection: object): void
  /** It has ended and its books are closed. The socket's handle may still answer. */
  ended(connection: object): void
  /** A send failed after the end. */
  late(connection: object): void
  /** It is no longer followed: the socket was unwrapped, or a WebSocket over it was wrapped. */
  forgotten(connection: object): void
}
