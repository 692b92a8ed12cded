import { type ErrorCode, outOfRange, type SendFailError, wrongType } from './errors.ts'

/** What happens to a message that finds the buffer full. */
export type OnFull = 'close' | 'drop' | 'observe'

/** `lenient` looks at what is already held, `strict` at that and the message. */
export type Admission = 'lenient' | 'strict'

/** Options of `wrapSocket` and of every other function that takes a limit. Times are in milliseconds. */
export interface WrapOptions<S extends object = object> {
  /** Which messages fit; default `'lenient'`: a message is refused when the limit is already reached. */
  readonly admission?: Admission | undefined
  /** Close a connection that has been full for so long; default `Infinity`, never. */
  readonly closeAfterFullMs?: number | undefined
  /** Close a backlogged connection from which no byte has left for so long; default `Infinity`, never. */
  readonly closeAfterStallMs?: number | undefined
  /** The limit in bytes; default 1 MiB, or what `setDefaultMaxSendBufferSize` was given. `Infinity` for none. */
  readonly maxSendBufferSize?: number | undefined
  /** Called once the buffer is empty again, after each `onBufferFull`. */
  readonly onBufferDrain?: ((socket: S) => void) | undefined
  /** Called when the limit is reached; not again before `onBufferDrain`. */
  readonly onBufferFull?: ((socket: S) => void) | undefined
  /**
   * `'drop'` refuses the message, `'close'` destroys the connection, `'observe'` only counts. Default `'drop'`; for a
   * socket that carries HTTP `'observe'`, and there `'drop'` throws `ERR_SEND_FAIL_HTTP_DROP`.
   */
  readonly onFull?: OnFull | undefined
  /** Called for every failed send. What it throws becomes a process warning. */
  readonly onSendFail?: ((failure: SendFailError, socket: S) => void) | undefined
  /** A backlog older than this makes its receiver `slow`; default 5000. */
  readonly slowAfterMs?: number | undefined
  /** No byte leaving for so long makes a backlogged receiver `stalled`; default 30000. */
  readonly stallAfterMs?: number | undefined
}

/** Options as the library uses them: checked, complete except for the limit, and frozen. */
export interface Policy extends Pick<WrapOptions, 'onBufferDrain' | 'onBufferFull' | 'onSendFail'> {
  readonly admission: Admission
  readonly closeAfterFullMs: number
  readonly closeAfterStallMs: number
  /** `null` until somebody names one: the default depends on the socket. */
  readonly onFull: OnFull | null
  readonly slowAfterMs: number
  readonly stallAfterMs: number
}

export const DEFAULT_POLICY: Policy = Object.freeze({
  admission: 'lenient',
  closeAfterFullMs: Number.POSITIVE_INFINITY,
  closeAfterStallMs: Number.POSITIVE_INFINITY,
  onBufferDrain: undefined,
  onBufferFull: undefined,
  onFull: null,
  onSendFail: undefined,
  slowAfterMs: 5_000,
  stallAfterMs: 30_000,
})

type Check = (name: string, value: unknown) => void

const CHECKS: Readonly<Record<keyof WrapOptions, Check>> = {
  admission: oneOf('lenient', 'strict'),
  closeAfterFullMs: positive,
  closeAfterStallMs: positive,
  maxSendBufferSize: (name, value) => checkLimit(value, name),
  onBufferDrain: aFunction,
  onBufferFull: aFunction,
  onFull: oneOf('drop', 'close', 'observe'),
  onSendFail: aFunction,
  slowAfterMs: positive,
  stallAfterMs: positive,
}

function oneOf(...words: string[]): Check {
  const expected = words.map((word) => `'${word}'`).join(' or ')
  return (name, value) => {
    if (typeof value !== 'string') throw wrongType('ERR_SEND_FAIL_OPTION', name, expected, value)
    if (!words.includes(value)) throw outOfRange('ERR_SEND_FAIL_OPTION', name, expected, value)
  }
}

function positive(name: string, value: unknown): void {
  const expected = 'a number of milliseconds above 0, or Infinity'
  if (typeof value !== 'number') throw wrongType('ERR_SEND_FAIL_OPTION', name, expected, value)
  if (!(value > 0)) throw outOfRange('ERR_SEND_FAIL_OPTION', name, expected, value)
}

function aFunction(name: string, value: unknown): void {
  if (typeof value !== 'function') throw wrongType('ERR_SEND_FAIL_OPTION', name, 'a function', value)
}

/** Throws unless `value` is a number of bytes that can be a limit. */
export function checkLimit(value: unknown, name = 'maxSendBufferSize'): asserts value is number {
  const code: ErrorCode = 'ERR_SEND_FAIL_LIMIT'
  const expected = 'a positive integer (bytes) or Infinity'
  if (typeof value !== 'number') throw wrongType(code, name, expected, value)
  if (value === Number.POSITIVE_INFINITY || (Number.isSafeInteger(value) && value > 0)) return
  throw outOfRange(code, name, expected, value)
}

/**
 * Checks what a user passed as a limit or options and returns the options that were really given: a number becomes
 * `{ maxSendBufferSize }`, and an option that is `undefined` counts as not given.
 */
export function givenOptions(limitOrOptions: unknown): WrapOptions {
  if (limitOrOptions === undefined) return {}
  if (typeof limitOrOptions === 'number') {
    checkLimit(limitOrOptions)
    return { maxSendBufferSize: limitOrOptions }
  }
  if (typeof limitOrOptions !== 'object' || limitOrOptions === null || isSomethingElse(limitOrOptions)) {
    throw wrongType(
      'ERR_SEND_FAIL_LIMIT',
      'limit',
      'a positive integer (bytes), Infinity or an options object',
      limitOrOptions,
    )
  }
  const given: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(limitOrOptions)) {
    const check = Object.hasOwn(CHECKS, name) ? CHECKS[name as keyof WrapOptions] : undefined
    if (check === undefined) {
      const expected = `absent (the options are ${Object.keys(CHECKS).join(', ')})`
      throw wrongType('ERR_SEND_FAIL_OPTION', name, expected, value)
    }
    if (value === undefined) continue
    check(name, value)
    given[name] = value
  }
  return given
}

/** An array, a Map, a promise of options: anything without a single option that was not written as an empty object. */
function isSomethingElse(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return (
    Array.isArray(value) ||
    (Object.keys(value).length === 0 && prototype !== Object.prototype && prototype !== null)
  )
}

/** The policy after `given` was added to `policy`. A socket without options of its own shares one frozen object. */
export function mergePolicy(policy: Policy, given: WrapOptions): Policy {
  const { maxSendBufferSize: _limit, ...rest } = given
  if (Object.keys(rest).length === 0) return policy
  return Object.freeze({ ...policy, ...rest }) as Policy
}
