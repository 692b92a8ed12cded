import { FEEDS } from './feed.ts'
import { BEHAVIOURS, FEED } from './plan.ts'
import type { Client } from './servers.ts'

/** What the program itself counted as sent to one client: it knows nothing of the library's counters. */
export interface Produced {
  readonly client: Client
  messages: number
  bytes: number
}

/** The program that sends. Every message is made anew, as one that is rendered for its client would be. */
export class Production {
  readonly all: Produced[] = []
  #startedMs = 0
  #stoppedMs = Number.POSITIVE_INFINITY
  #fromMs = 0
  #timer: NodeJS.Timeout | undefined

  add(client: Client): void {
    this.all.push({ client, messages: 0, bytes: 0 })
    this.all.sort((a, b) => placeOf(a.client) - placeOf(b.client))
  }

  start(): void {
    this.#startedMs = performance.now()
    this.#timer = setInterval(() => this.#tick(), FEED.tickMs)
  }

  stop(): void {
    clearInterval(this.#timer)
    this.#stoppedMs = Math.min(this.#stoppedMs, performance.now())
  }

  /** Milliseconds from the start to now, or to the stop. */
  elapsedMs(): number {
    return Math.min(performance.now(), this.#stoppedMs) - this.#startedMs
  }

  #tick(): void {
    const fromMs = this.#fromMs
    const toMs = this.elapsedMs()
    this.#fromMs = toMs
    for (const produced of this.all) {
      const { behaviour, goneAtMs } = produced.client
      const goneMs = goneAtMs === null ? null : performance.now() - goneAtMs
      for (const bytes of FEEDS[behaviour]({ fromMs, toMs, goneMs })) send(produced, bytes)
    }
  }
}

/** In the order of the plan, over TCP first. */
function placeOf({ behaviour, over }: Client): number {
  return BEHAVIOURS.indexOf(behaviour) + (over === 'tcp' ? 0 : BEHAVIOURS.length)
}

function send(produced: Produced, bytes: number): void {
  if (produced.bytes + bytes > FEED.maxBytesPerClient) return
  produced.messages++
  produced.bytes += bytes
  produced.client.send(Buffer.alloc(bytes, '.'))
}
