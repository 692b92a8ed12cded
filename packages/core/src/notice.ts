import { type Channel, channel } from 'node:diagnostics_channel'
import { inspect } from 'node:util'
import type { FailureFacts, SendFailError } from './errors.ts'

/** What subscribers of `sendfail:fail` receive: the facts, and the error that holds them. */
export interface FailMessage extends FailureFacts {
  readonly socket: object
  readonly failure: SendFailError
}

/** What subscribers of `sendfail:full` and `sendfail:drain` receive. */
export interface BufferMessage {
  readonly socket: object
  /** Bytes pending when it happened. */
  readonly pendingBytes: number
  readonly limitBytes: number
}

/** The diagnostics channels. A subscriber that throws reaches `'uncaughtException'` in a tick of its own. */
export const CHANNELS: Readonly<Record<'drain' | 'fail' | 'full', Channel>> = Object.freeze({
  fail: channel('sendfail:fail'),
  full: channel('sendfail:full'),
  drain: channel('sendfail:drain'),
})

let calling = false

/**
 * Calls a handler of the user's. What it throws, or rejects with, becomes a process warning: it must not reach the code
 * that was sending. A handler that itself causes the next notice is called again in a later turn of the event loop, so
 * that it can neither overflow the stack nor starve the process.
 */
export function callHandler<A extends unknown[]>(
  name: string,
  handler: (...args: A) => unknown,
  ...args: A
): void {
  if (calling) {
    setImmediate(callHandler as (...all: unknown[]) => void, name, handler, ...args)
    return
  }
  calling = true
  try {
    const result: unknown = handler(...args)
    if (result instanceof Promise) result.catch((error: unknown) => warn(name, error))
  } catch (error) {
    warn(name, error)
  } finally {
    calling = false
  }
}

function warn(name: string, error: unknown): void {
  process.emitWarning(`${name} threw; nothing else was affected`, {
    type: 'SendFailWarning',
    code: 'ERR_SEND_FAIL_CALLBACK',
    detail: inspect(error),
  })
}
