import { renameSync, rmSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import type { Guard, Registry, Watcher } from '@sendfail/core'
import { Channel } from './channel.ts'
import { Connections } from './connections.ts'
import { factsPath, makeDirectory, publisherName, socketPath, statusDirectory } from './directory.ts'
import { Listening } from './listening.ts'
import type { Publisher } from './protocol.ts'

/** What `publishStatus` returns. */
export interface StatusHandle {
  /** Resolves to whether this process can be seen; never rejects. */
  readonly ready: Promise<boolean>
  /** Publishes no longer. A second call does nothing. */
  stop(): Promise<void>
}

/** Processes of other containers may have the same number in the same directory. */
const COPIES = 10

/** One thread that publishes: its files, its channel, and the watcher that lists its connections. */
export class Publication implements StatusHandle {
  readonly ready: Promise<boolean>
  readonly #registry: Registry
  readonly #connections: Connections
  readonly #listening: Listening
  readonly #channel = new Channel()
  readonly #publisher: Publisher
  readonly #whenStopped: () => void
  readonly #watcher: Watcher
  #files: string[] = []
  #stopped: Promise<void> | null = null
  readonly #removeFiles = () => {
    for (const file of this.#files) rmSync(file, { force: true })
  }

  constructor(
    registry: Registry,
    publisher: Publisher,
    listening: readonly string[],
    whenStopped: () => void,
  ) {
    this.#registry = registry
    this.#publisher = publisher
    this.#whenStopped = whenStopped
    this.#connections = new Connections(registry)
    this.#listening = new Listening(listening, this.#channel.server)
    this.#watcher = this.#watch()
    registry.watcher = this.#watcher
    process.on('exit', this.#removeFiles)
    this.ready = this.#publish()
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop()
    return this.#stopped
  }

  async #stop(): Promise<void> {
    await this.ready
    if (this.#registry.watcher === this.#watcher) this.#registry.watcher = null
    await this.#channel.close()
    this.#removeFiles()
    process.off('exit', this.#removeFiles)
    this.#whenStopped()
  }

  /** What goes wrong in here must not reach the send path it is called from. */
  #watch(): Watcher {
    const connections = this.#connections
    const careful =
      (hear: (connection: object) => void) =>
      (connection: object): void => {
        try {
          hear(connection)
        } catch (error) {
          warn(error)
        }
      }
    return {
      opened: careful((connection) => {
        connections.opened(connection)
        this.#listening.accepted(connection as Guard)
      }),
      full: careful((connection) => connections.full(connection)),
      slow: careful((connection) => connections.slow(connection)),
      drained: careful((connection) => connections.drained(connection)),
      ended: careful((connection) => connections.ended(connection)),
      late: careful((connection) => connections.late(connection)),
      forgotten: careful((connection) => connections.forgotten(connection)),
    }
  }

  async #publish(): Promise<boolean> {
    try {
      const directory = statusDirectory()
      makeDirectory(directory)
      const name = await this.#listen(directory)
      this.#files = [socketPath(directory, name), factsPath(directory, name)]
      // in one step, so that nobody reads half of it; and last, so that whoever finds it can connect
      const draft = `${factsPath(directory, name)}.new`
      writeFileSync(draft, `${JSON.stringify(this.#publisher)}\n`, { mode: 0o600 })
      renameSync(draft, factsPath(directory, name))
      return true
    } catch (error) {
      warn(error)
      return false
    }
  }

  async #listen(directory: string): Promise<string> {
    const { pid, threadId } = this.#publisher
    const sources = {
      registry: this.#registry,
      connections: this.#connections,
      listening: this.#listening,
      publisher: this.#publisher,
    }
    for (let copy = 0; copy < COPIES; copy++) {
      const name = publisherName(pid, threadId) + (copy === 0 ? '' : `-${copy}`)
      const path = socketPath(directory, name)
      if (await answers(path)) continue
      rmSync(path, { force: true }) // left by a process that had this number and was killed
      await this.#channel.listen(path, sources)
      return name
    }
    throw new Error(`${COPIES} other processes have the number ${pid} in ${directory}`)
  }
}

/** Does anybody listen there? */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(path)
    socket.once('error', () => resolve(false))
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
  })
}

function warn(error: unknown): void {
  const { message } = Object(error) as { message?: unknown }
  process.emitWarning(`this process is not shown by \`sendfail status\`: ${message}`, {
    type: 'SendFailWarning',
    code: 'ERR_SEND_FAIL_STATUS',
  })
}
