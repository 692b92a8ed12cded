import type { ChildProcess } from 'node:child_process'
import type { Children } from './children.ts'
import { type Memory, MemoryTrail } from './memory.ts'
import { BEHAVIOURS } from './plan.ts'
import type { Ports } from './servers.ts'

/** What the process of the bare servers tells. */
export type BareReport = { ports: Ports } | { clients: number } | { memory: Memory }

/** The same servers without sendfail, in a process of their own: what they would hold. */
export class BareServer {
  readonly memory = new MemoryTrail()
  #clients = 0
  readonly #children: Children
  readonly #process: ChildProcess

  constructor(children: Children) {
    this.#children = children
    this.#process = children.start('bare')
    this.#process.on('message', (report) => this.#heard(report as BareReport))
  }

  /** Have all its clients arrived? */
  ready(): boolean {
    return this.#clients === 2 * BEHAVIOURS.length
  }

  #heard(report: BareReport): void {
    if ('ports' in report) {
      for (const behaviour of BEHAVIOURS) {
        this.#children.start('client', behaviour, report.ports.tcp, report.ports.ws)
      }
    } else if ('clients' in report) {
      this.#clients = report.clients
    } else {
      this.memory.add(report.memory)
    }
  }
}
