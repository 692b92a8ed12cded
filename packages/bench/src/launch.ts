import { Child } from './child.ts'
import { CONTENDERS, type ContenderName } from './contender.ts'
import { paceOf } from './lane.ts'
import type { Mode } from './options.ts'
import type { ReaderPlan } from './programs/reader.ts'
import type { ServerAnswer, ServerPlan, ServerQuestion } from './programs/server.ts'

/** What is sent, and in which processes. */
export interface Case extends Omit<ServerPlan, 'contenders'> {
  readonly mode: Mode
  readonly nodeFlags: readonly string[]
}

/** One round on every contender, one soon after the other. */
export type Round = Record<ContenderName, ServerAnswer>

const NAMES = Object.keys(CONTENDERS) as ContenderName[]

/** One set of processes: a sending one and a reading one for all contenders, or for each. */
export class Launch {
  readonly #servers: Child[] = []
  readonly #readers: Child[] = []
  readonly #lanes: { name: ContenderName; server: Child; lane: number }[] = []

  /** @param number rotates the contenders, so that none is always the first to start and to run. */
  static async start(one: Case, number: number): Promise<Launch> {
    const turn = number % NAMES.length
    const names = [...NAMES.slice(turn), ...NAMES.slice(0, turn)]
    const launch = new Launch()
    const groups = one.mode === 'sockets' ? [names] : names.map((name) => [name])
    await Promise.all(groups.map((group) => launch.#open(one, group)))
    return launch
  }

  async #open(
    { transport, size, data, nodeFlags }: Case,
    contenders: readonly ContenderName[],
  ): Promise<void> {
    const server = new Child('server', { transport, size, data, contenders } satisfies ServerPlan, nodeFlags)
    this.#servers.push(server)
    contenders.forEach((name, lane) => void this.#lanes.push({ name, server, lane }))
    const port = await server.next<number | null>()
    if (port === null) return
    const { acknowledgeBytes } = paceOf(size)
    const plan: ReaderPlan = { transport, port, connections: contenders.length, acknowledgeBytes }
    const reader = new Child('reader', plan)
    this.#readers.push(reader)
    await reader.next()
  }

  async round(messages: number): Promise<Round> {
    const round: Partial<Round> = {}
    for (const { name, server, lane } of this.#lanes) {
      round[name] = await server.ask<ServerAnswer>({ lane, messages } satisfies ServerQuestion)
    }
    this.#lanes.push(...this.#lanes.splice(0, 1)) // A B C, B C A, ...: nobody always runs first, nor twice in a row
    return round as Round
  }

  /** Ends the processes; throws if what was measured was not a healthy, counted send. */
  async finish(): Promise<void> {
    const question: ServerQuestion = { lane: null, messages: 0 }
    const problems = (await Promise.all(this.#servers.map((server) => server.ask<string[]>(question)))).flat()
    await Promise.all([...this.#servers, ...this.#readers].map((child) => child.stop()))
    if (problems.length > 0) throw new Error(`not a valid measurement: ${problems.join('; ')}`)
  }
}
