import type { Account } from './account.ts'
import { Backlog } from './backlog.ts'
import type { Transport } from './transport.ts'

/** A backlog: since when, for how long no byte has left, and what was produced and what left meanwhile. */
export interface BacklogStatus {
  readonly ageMs: number
  readonly idleMs: number
  /** Bytes of all messages that were sent, accepted or not. */
  readonly productionBytesPerSecond: number
  /** Bytes that were handed to the operating system. */
  readonly drainBytesPerSecond: number
}

/**
 * What is known of the messages that wait in one connection: their sizes, since when there are any, when a byte was
 * last seen leaving, and which of them will report their completion. Made at the first backlog of a connection.
 *
 * The first message of a backlog is recognised only after it was written, so it carries no callback: the silent head.
 * It was handed down at once and alone, and nothing else leaves before it; so it has left when the stream holds less
 * than after the last message was added, or when a later message completes. The last message of `end()` is silent too
 * and leaves with everything.
 */
export class Waiting<S extends object = object> {
  readonly backlog: Backlog = new Backlog()
  /** Since when there is a backlog, in milliseconds of the registry's clock. */
  sinceMs = 0
  /** The bytes that had been sent, and had failed, by then. */
  sentBytes = 0
  failedBytes = 0
  readonly #socket: S
  readonly #transport: Transport<S>
  /** When the buffer was last found empty, and when it was last seen not to be. */
  #beganMs = Number.NaN
  #seenMs = Number.NaN
  #progressMs = 0
  #progress = 0
  #moved = false
  #headSilent = false
  #silentTails = 0
  /** What the stream held after the last message was added behind a silent head. */
  #held = 0
  /** `dispatchedBytes` while only the silent head was handed down; below 0 as long as nobody asked. */
  #mark = -1
  /** Completions still to come of messages that were taken off before. */
  #stale = 0

  constructor(socket: S, transport: Transport<S>) {
    this.#socket = socket
    this.#transport = transport
  }

  /**
   * A backlog begins, or goes on: one that begins sooner after the last was seen than that had lasted is the same. The
   * kernel takes megabytes at a time, often more than the limit, so that the buffer of a receiver that is always too slow
   * is empty for a moment now and then.
   */
  begin(nowMs: number, sentBytes: number, failedBytes: number): void {
    const goesOn = nowMs - this.#seenMs < this.#seenMs - this.#beganMs
    if (!goesOn) {
      this.sinceMs = nowMs
      this.sentBytes = sentBytes
      this.failedBytes = failedBytes
    }
    this.#beganMs = nowMs
    this.#seenMs = nowMs
    this.#progressMs = nowMs
    this.#progress = Number.NaN
    this.#moved = false
  }

  /** Adds a message that will report its completion. */
  push(bytes: number, wireBytes: number): void {
    this.backlog.push(bytes, wireBytes)
    if (this.#headSilent) this.#held = this.#transport.buffered(this.#socket)
  }

  /** Adds the first message of a backlog, written before it was known to be one. */
  pushHead(bytes: number, wireBytes: number): void {
    this.#headSilent = true
    this.#mark = -1
    this.push(bytes, wireBytes)
  }

  /** Adds the last message of a connection, given to `end()`. */
  pushTail(bytes: number, wireBytes: number): void {
    this.push(bytes, wireBytes)
    this.#silentTails++
  }

  /** Takes the oldest message out and returns its bytes. */
  shift(): number {
    this.#headSilent = false
    this.#moved = true
    if (this.backlog.count === 1) this.#silentTails = 0
    return this.backlog.shift()
  }

  /** How many messages the stream itself shows to have left; the caller takes them out. */
  left(): number {
    const { backlog } = this
    const held = this.#transport.buffered(this.#socket)
    if (this.#transport.settlesByAmount) return backlog.leftWhen(held)
    if (held === 0) {
      this.#stale += backlog.count - this.#silentTails - (this.#headSilent ? 1 : 0)
      return backlog.count
    }
    if (!this.#headSilent || held < this.#held) return this.#headSilent ? 1 : 0
    if (this.#mark < 0) this.#mark = this.#transport.dispatchedBytes(this.#socket)
    return 0
  }

  /** How many messages one completion shows to have left. */
  leftByCompletion(): number {
    if (this.#stale > 0) {
      this.#stale--
      return 0
    }
    return this.#headSilent ? 2 : 1
  }

  /**
   * How many messages had left when the connection ended. A write that failed took its whole batch off the stream's
   * length; what stood before it has left.
   */
  leftAtEnd(writeFailed: boolean): number {
    const { backlog } = this
    if (!writeFailed) return backlog.leftWhen(this.#transport.unsentBytes(this.#socket, backlog.wireBytes))
    const headLeft = this.#mark >= 0 && this.#transport.dispatchedBytes(this.#socket) > this.#mark
    return this.#headSilent && headLeft ? 1 : 0
  }

  /** When a byte was last seen leaving; looks again. */
  progressAt(nowMs: number): number {
    const progress = this.#transport.progress(this.#socket)
    const known = !Number.isNaN(this.#progress) // the first look has nothing to compare with: begin() must be cheap
    if (this.#moved || (known && progress !== this.#progress)) this.#progressMs = nowMs
    this.#progress = progress
    this.#moved = false
    this.#seenMs = nowMs
    return this.#progressMs
  }

  /** What the books of the connection say of this backlog. */
  status(books: Pick<Account, 'failedBytes' | 'pendingBytes' | 'sentBytes'>, nowMs: number): BacklogStatus {
    const { failedBytes, pendingBytes, sentBytes } = books
    const unsentBytes = this.#transport.unsentBytes(this.#socket, this.backlog.wireBytes)
    const acceptedBytes = sentBytes - this.sentBytes + pendingBytes
    const ageMs = nowMs - this.sinceMs
    const aSecond = (bytes: number) => (ageMs > 0 ? (bytes * 1000) / ageMs : 0)
    return {
      ageMs,
      idleMs: nowMs - this.progressAt(nowMs),
      productionBytesPerSecond: aSecond(acceptedBytes + failedBytes - this.failedBytes),
      drainBytesPerSecond: aSecond(acceptedBytes - Math.min(unsentBytes, pendingBytes)),
    }
  }
}
