import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** A program of `programs/` in a process of its own, which answers each message with one. */
export class Child {
  readonly #process: ChildProcess

  constructor(program: string, argument: unknown, nodeFlags: readonly string[] = []) {
    const path = fileURLToPath(new URL(`./programs/${program}.js`, import.meta.url))
    this.#process = fork(path, [JSON.stringify(argument)], { execArgv: [...nodeFlags] })
  }

  /** The next message; a process that ends instead is an error. */
  next<T>(): Promise<T> {
    return new Promise((resolve, reject) => {
      const exited = (code: number | null) => reject(new Error(`a child process ended early (code ${code})`))
      this.#process.once('exit', exited)
      this.#process.once('message', (message) => {
        this.#process.off('exit', exited)
        resolve(message as T)
      })
    })
  }

  ask<T>(question: object): Promise<T> {
    const answer = this.next<T>()
    this.#process.send(question)
    return answer
  }

  /** Lets the process end by itself, as its channel is all that keeps it, so that profiles are written. */
  async stop(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return
    const exit = once(this.#process, 'exit')
    this.#process.disconnect()
    await exit
  }
}
