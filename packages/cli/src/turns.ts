/** For so long, in milliseconds, an answer may hold the event loop before others have their turn. */
export const TURN_MS = 1

/** Does a part of its work each time; `false` when there is none left. */
export type Work = () => boolean

/**
 * Does the work of all answers in turns of the event loop, one turn at a time however many answers there are, so that the
 * server it runs in is never held up for longer than one of them. A process that ends meanwhile finishes the work first.
 */
export class Turns {
  readonly #waiting: Work[] = []
  #scheduled = false

  add(work: Work): void {
    this.#waiting.push(work)
    if (this.#scheduled) return
    this.#scheduled = true
    this.#schedule()
  }

  #schedule(): void {
    setImmediate(() => this.#turn()) // not unref'd: an idle event loop would sleep before it
  }

  #turn(): void {
    const work = this.#waiting.shift()
    if (work?.()) this.#waiting.push(work)
    this.#scheduled = this.#waiting.length > 0
    if (this.#scheduled) this.#schedule()
  }
}
