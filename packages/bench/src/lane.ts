import { getHeapStatistics } from 'node:v8'
import { CONTENDERS, type ContenderName } from './contender.ts'
import type { Connection, Message, Transport } from './transport.ts'

/** How one size of message is sent: so that the kernel takes every message at once, and the process has other turns. */
export interface Pace {
  /** Messages in one turn of the event loop. */
  readonly perTurn: number
  /** The reader acknowledges each time it got so many bytes. */
  readonly acknowledgeBytes: number
  /** Bytes on their way at most. */
  readonly windowBytes: number
}

/** Small messages fill a kernel's buffer long before their bytes do, hence a window in messages for them. */
export function paceOf(size: number): Pace {
  const acknowledgeBytes = Math.min(256 * size, 256 * 1024)
  return {
    perTurn: Math.max(1, Math.min(32, (128 * 1024) / size)),
    acknowledgeBytes,
    windowBytes: Math.max(2 * acknowledgeBytes, Math.min(1024 * size, 512 * 1024)),
  }
}

/** What one round of sends cost the process. */
export interface Sample {
  readonly messages: number
  readonly cpuMicros: number
  /** Growth of the heap in use; means something only if nothing was collected meanwhile. */
  readonly heapBytes: number
  readonly turns: number
  /** Turns after which something was left in the process's buffer. */
  readonly backloggedTurns: number
}

/** One connection, bare or under guard, and the loop that sends on it. */
export class Lane {
  readonly #transport: Transport
  readonly #connection: Connection
  readonly #contender: ContenderName
  readonly #message: Message
  readonly #size: number
  readonly #wireBytes: number
  readonly #pace: Pace
  readonly #acknowledges: boolean
  #messages = 0
  #outstanding = 0
  #left = 0
  #turns = 0
  #backloggedTurns = 0
  #idle = true
  #done: () => void = () => {}
  readonly #turn = (): void => this.#sendTurn()

  constructor(
    transport: Transport,
    connection: Connection,
    contender: ContenderName,
    message: Message,
    acknowledges: boolean,
  ) {
    this.#transport = transport
    this.#connection = connection
    this.#contender = contender
    this.#message = message
    this.#size = Buffer.byteLength(message)
    this.#wireBytes = transport.wireBytes(this.#size)
    this.#pace = paceOf(this.#size)
    this.#acknowledges = acknowledges
    CONTENDERS[contender].prepare(transport, connection)
    transport.acknowledged(connection, (count) => this.#heard(count))
  }

  async run(messages: number): Promise<Sample> {
    this.#left = messages
    this.#turns = 0
    this.#backloggedTurns = 0
    const done = new Promise<void>((resolve) => {
      this.#done = resolve
    })
    const heap = getHeapStatistics().used_heap_size
    const cpu = process.cpuUsage()
    this.#sendTurn()
    await done
    const { user, system } = process.cpuUsage(cpu)
    return {
      messages,
      cpuMicros: user + system,
      heapBytes: getHeapStatistics().used_heap_size - heap,
      turns: this.#turns,
      backloggedTurns: this.#backloggedTurns,
    }
  }

  /** What is wrong with what was measured, once all has left; `null` if nothing is. */
  async problem(): Promise<string | null> {
    while (this.#transport.buffered(this.#connection) > 0) await new Promise(setImmediate)
    const sends = { messages: this.#messages, bytes: this.#messages * this.#size }
    const problem = CONTENDERS[this.#contender].problem(this.#transport, this.#connection, sends)
    return problem === null ? null : `${this.#contender}: ${problem}`
  }

  #sendTurn(): void {
    const { perTurn, windowBytes, acknowledgeBytes } = this.#pace
    const count = Math.min(perTurn, this.#left)
    if (this.#outstanding + count * this.#wireBytes > windowBytes || this.#left === 0) {
      this.#idle = true
      if (this.#left === 0 && this.#outstanding < acknowledgeBytes) this.#done()
      return
    }
    this.#idle = false
    this.#transport.burst(this.#connection, this.#message, count)
    this.#left -= count
    this.#messages += count
    this.#turns++
    if (this.#transport.buffered(this.#connection) > 0) this.#backloggedTurns++
    if (this.#acknowledges) this.#outstanding += count * this.#wireBytes
    setImmediate(this.#turn)
  }

  #heard(count: number): void {
    this.#outstanding -= count * this.#pace.acknowledgeBytes
    if (this.#idle) this.#sendTurn()
  }
}
