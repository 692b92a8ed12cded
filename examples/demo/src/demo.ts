import { setTimeout as sleep } from 'node:timers/promises'
import { wrapServer as wrapTcpServer } from '@sendfail/net'
import { wrapServer as wrapWebSocketServer } from '@sendfail/ws'
import { accountTable, closeBooks, readBooks } from './accounts.ts'
import { BareServer } from './bare-server.ts'
import { Children } from './children.ts'
import { watchFailures } from './events.ts'
import { MemoryTrail, readMemory } from './memory.ts'
import { Metrics } from './metrics.ts'
import { missing, wrong } from './outcomes.ts'
import { BEHAVIOURS, OPTIONS, RUN } from './plan.ts'
import { Production } from './production.ts'
import type { Screen } from './screen.ts'
import { type Servers, startServers } from './servers.ts'
import { type Books, sumsUp } from './sums.ts'
import { mib, seconds } from './table.ts'

/** What a run leaves to be reported. */
export interface Run {
  readonly books: Books
  readonly table: readonly string[]
  readonly limited: MemoryTrail
  readonly bare: MemoryTrail
  /** What is wrong with it, a sentence each; empty after a good run. */
  readonly complaints: readonly string[]
}

/** One run: servers, clients, feed, and what came of it. */
export class Demo {
  readonly #children = new Children()
  readonly #metrics = new Metrics()
  readonly #production = new Production()
  #servers: Servers | undefined
  #unwatch: () => void = () => {}
  readonly #screen: Screen
  readonly #memory = new MemoryTrail()
  #interrupted = false
  /** Figures that did not add up while the feed ran. */
  #early: string[] = []

  constructor(screen: Screen) {
    this.#screen = screen
  }

  /** Ends the run early; it is reported as far as it came. */
  interrupt(): void {
    this.#interrupted = true
  }

  async run(): Promise<Run> {
    const lost = new Promise<never>((_resolve, reject) => {
      this.#children.onLost = reject
    })
    try {
      return await Promise.race([this.#run(), lost])
    } finally {
      this.#production.stop()
      this.#unwatch() // the clients are going to be ended; that is not part of the run
      await this.#children.stop()
      this.#servers?.close()
      await this.#metrics.stop()
    }
  }

  async #run(): Promise<Run> {
    const production = this.#production
    this.#servers = await startServers((client) => production.add(client))
    const { ports, tcp, ws } = this.#servers
    wrapTcpServer(tcp, OPTIONS) // the two lines this is all about
    wrapWebSocketServer(ws, OPTIONS)
    this.#unwatch = watchFailures(production, (line) => this.#screen.event(line))

    const bare = new BareServer(this.#children)
    for (const behaviour of BEHAVIOURS) this.#children.start('client', behaviour, ports.tcp, ports.ws)
    const arrived = (): boolean => production.all.length === 2 * BEHAVIOURS.length && bare.ready()
    const begunMs = performance.now()
    while (!arrived() && !this.#interrupted) {
      if (performance.now() - begunMs > RUN.connectMs) throw new Error('not all clients connected in time')
      await sleep(20)
    }
    this.#memory.add(readMemory(production))
    this.#children.go()
    production.start()
    while (!this.#finished()) {
      await sleep(RUN.lookMs)
      this.#look(bare)
    }
    production.stop()
    return this.#close(bare)
  }

  #finished(): boolean {
    const elapsedMs = this.#production.elapsedMs()
    if (this.#interrupted || elapsedMs >= RUN.maxMs) return true
    if (elapsedMs < RUN.minMs) return false
    const { accounts } = readBooks(this.#production)
    // The slow client's backlog ends for a moment whenever the kernel takes all of it: not the moment for the last look.
    const typical = accounts.every(
      ({ behaviour, status }) => behaviour !== 'slow' || status.receiver === 'slow',
    )
    return typical && missing(accounts).length === 0
  }

  #look(bare: BareServer): void {
    const production = this.#production
    const books = readBooks(production)
    if (this.#early.length === 0) this.#early = sumsUp(books)
    this.#memory.add(readMemory(production))
    const [limited, without] = [this.#memory, bare.memory].map(({ latest }) => mib(latest.heldBytes))
    this.#screen.draw([
      `  ${seconds(production.elapsedMs())} of ${RUN.minMs / 1000} s`,
      ...accountTable(production, books, this.#screen.paint),
      `  Waiting for clients: ${limited} MiB with sendfail, ${without} MiB without`,
    ])
  }

  async #close(bare: BareServer): Promise<Run> {
    const books = await closeBooks(this.#production, this.#metrics)
    const table = accountTable(this.#production, books, this.#screen.paint)
    const late = this.#interrupted ? [] : missing(books.accounts)
    const complaints = [...this.#early, ...sumsUp(books), ...wrong(books.accounts), ...late]
    return { books, table, limited: this.#memory, bare: bare.memory, complaints }
  }
}
