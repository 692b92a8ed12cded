/**
 * The sizes of the messages that wait in one connection, oldest first. Two numbers a message: its bytes as the ledger
 * counts them, and the length it has on the wire, by which the transport measures what is still to leave.
 */
export class Backlog {
  /** Messages waiting. */
  count = 0
  /** Their length on the wire. */
  wireBytes = 0
  #head = 0
  #sizes: number[] = []

  push(bytes: number, wireBytes: number): void {
    this.#sizes.push(bytes, wireBytes)
    this.count++
    this.wireBytes += wireBytes
  }

  /** Takes the oldest message out and returns its bytes. */
  shift(): number {
    const bytes = this.#sizes[this.#head] as number
    this.wireBytes -= this.#sizes[this.#head + 1] as number
    this.#head += 2
    this.count--
    if (this.count === 0) this.#reset()
    else if (this.#head >= 2048 && this.#head * 2 >= this.#sizes.length) this.#compact()
    return bytes
  }

  /**
   * How many of the oldest messages have left completely when the last `unsentWireBytes` of the stream have not. Walks
   * from the newest message back; bytes of others among them (a ping, a close frame) make the answer smaller, never
   * larger.
   */
  leftWhen(unsentWireBytes: number): number {
    let staying = 0
    let unsent = unsentWireBytes
    for (let at = this.#sizes.length - 1; unsent > 0 && staying < this.count; at -= 2) {
      unsent -= this.#sizes[at] as number
      staying++
    }
    return this.count - staying
  }

  /** Forgets a grown array, so that one bad minute does not keep its memory for the life of the connection. */
  #reset(): void {
    if (this.#sizes.length > 64) this.#sizes = []
    else this.#sizes.length = 0
    this.#head = 0
  }

  #compact(): void {
    this.#sizes = this.#sizes.slice(this.#head)
    this.#head = 0
  }
}
