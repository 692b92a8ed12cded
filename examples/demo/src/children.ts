import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** The other processes of the demo. None of them outlives it. */
export class Children {
  /** Called when one ends that should not have. */
  onLost: (error: Error) => void = () => {}
  readonly #all: ChildProcess[] = []
  #stopping = false

  constructor() {
    process.once('exit', () => this.#kill()) // whatever ended the demo
  }

  /** Starts one of the programs of this folder. */
  start(program: 'bare' | 'client', ...args: (string | number)[]): ChildProcess {
    const file = fileURLToPath(new URL(`programs/${program}.js`, import.meta.url))
    const child = fork(file, args.map(String), { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
    child.on('error', (error) => this.onLost(error))
    child.on('exit', (code, signal) => {
      if (this.#stopping) return
      this.onLost(new Error(`${[program, ...args].join(' ')} ended by itself (${signal ?? code})`))
    })
    this.#all.push(child)
    return child
  }

  /** Tells all of them that the feed begins. */
  go(): void {
    for (const child of this.#all) if (child.connected) child.send('go')
  }

  /** Ends all of them, and waits until they have. */
  async stop(): Promise<void> {
    const running = this.#all.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null)
    const ended = running.map((child) => once(child, 'exit'))
    this.#kill()
    await Promise.all(ended)
  }

  #kill(): void {
    this.#stopping = true
    for (const child of this.#all) child.kill('SIGKILL') // one that reads nothing may not be listening either
  }
}
