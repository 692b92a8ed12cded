import { setTimeout as sleep } from 'node:timers/promises'
import type { Selection } from './connections-view.ts'
import { CLOSED_FIELDS, LIVE_FIELDS } from './fields.ts'
import { screenOf } from './screen.ts'
import { Terminal } from './terminal.ts'
import type { Shown, Views } from './views.ts'
import { time } from './words.ts'

export type ViewName = 'closed' | 'connections' | 'status'

const KEYS = 's status  c connections  x closed  < > sort  r reverse  space now  q quit'

function aborted(signal: AbortSignal): Promise<null> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(null), { once: true }))
}

/** Shows a view again and again, in place, until somebody quits. */
export class Watch {
  readonly #views: Views
  readonly #everyMs: number
  #view: ViewName
  #selection: Selection
  #terminal: Terminal | null = null
  #wake = new AbortController()
  #done = false

  constructor(views: Views, view: ViewName, selection: Selection, everyMs: number) {
    this.#views = views
    this.#view = view
    this.#selection = selection
    this.#everyMs = everyMs
  }

  async run(): Promise<void> {
    this.#terminal = new Terminal(
      (key) => this.#press(key),
      () => this.#wake.abort(),
    )
    const quit = () => this.#press('q')
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, quit)
    try {
      while (!this.#done) {
        this.#wake = new AbortController()
        const shown = await Promise.race([this.#shown(), aborted(this.#wake.signal)])
        if (shown === null) continue // a key, or another size, before everybody had answered
        const { lines } = shown
        const sort = this.#view === 'status' ? '' : `  sorted by ${this.#sortName()}`
        const { dim } = screenOf(process.stdout)
        this.#terminal.draw(lines, dim(`every ${time(this.#everyMs)}${sort}  ${KEYS}`))
        await sleep(this.#everyMs, undefined, { signal: this.#wake.signal }).catch(() => {}) // a key, or another size
      }
    } finally {
      this.#terminal.close()
      for (const signal of ['SIGINT', 'SIGTERM'] as const) process.off(signal, quit)
    }
  }

  #shown(): Promise<Shown> {
    const screen = screenOf(process.stdout)
    const limit = Math.max(1, (process.stdout.rows ?? 24) - 3)
    const selection = { ...this.#selection, limit: Math.min(limit, this.#selection.limit) }
    if (this.#view === 'status') return this.#views.status(screen, [], false)
    if (this.#view === 'closed') return this.#views.closed(screen, selection)
    return this.#views.connections(screen, selection)
  }

  #press(key: string): void {
    if (key === 'q' || key === 'ctrl-c') this.#done = true
    else if (key === 's') this.#switch('status')
    else if (key === 'c') this.#switch('connections')
    else if (key === 'x') this.#switch('closed')
    else if (key === '<') this.#sort(-1)
    else if (key === '>') this.#sort(1)
    else if (key === 'r') this.#selection = { ...this.#selection, reverse: !this.#selection.reverse }
    else if (key !== ' ') return
    this.#wake.abort()
  }

  /** A filter or order of one list says nothing in another. */
  #switch(view: ViewName): void {
    if (view === this.#view) return
    this.#view = view
    this.#selection = { ...this.#selection, filters: [], sort: null, reverse: false }
  }

  #sort(step: number): void {
    const names = this.#names()
    const at = names.indexOf(this.#sortName()) + step + names.length
    this.#selection = { ...this.#selection, sort: names[at % names.length] ?? null }
  }

  #sortName(): string {
    return this.#selection.sort ?? (this.#view === 'closed' ? 'age' : 'sendq')
  }

  #names(): string[] {
    return this.#view === 'closed'
      ? CLOSED_FIELDS.map(({ name }) => name)
      : LIVE_FIELDS.map(({ name }) => name)
  }
}
