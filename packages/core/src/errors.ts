import { inspect } from 'node:util'
import type { Reason, Receiver, Stage } from './reason.ts'

/** Every code an error of this library can carry; each has a heading in `docs/errors.md`. */
export type ErrorCode =
  | 'ERR_SEND_FAIL'
  | 'ERR_SEND_FAIL_CALLBACK'
  | 'ERR_SEND_FAIL_HTTP_DROP'
  | 'ERR_SEND_FAIL_LIMIT'
  | 'ERR_SEND_FAIL_NOT_WRAPPED'
  | 'ERR_SEND_FAIL_OPTION'
  | 'ERR_SEND_FAIL_SERVER'
  | 'ERR_SEND_FAIL_SOCKET'
  | 'ERR_SEND_FAIL_STATUS'

/** The facts of one failed send. */
export interface FailureFacts {
  readonly reason: Reason
  readonly stage: Stage
  /** What the receiver was doing; `null` unless the reason is `buffer_full`. */
  readonly receiver: Receiver | null
  /** Size of the message, in bytes. */
  readonly bytes: number
  /** Bytes that were pending on the connection when the message was refused; for a lost one, when it was lost. */
  readonly pendingBytes: number
  /** The connection's limit, in bytes. */
  readonly limitBytes: number
  /** The error that ended the connection, where there was one. */
  readonly cause?: unknown
}

/**
 * One failed send: given to the callback of a refused send, to `onSendFail`, and to subscribers of `sendfail:fail`.
 * Errors about a full buffer and about lost messages carry no stack: there is no call to find, and making one would
 * cost more than the send.
 */
export class SendFailError extends Error implements FailureFacts {
  override readonly name: string = 'SendFailError'
  readonly code = 'ERR_SEND_FAIL'
  readonly reason: Reason
  readonly stage: Stage
  readonly receiver: Receiver | null
  readonly bytes: number
  readonly pendingBytes: number
  readonly limitBytes: number

  constructor(facts: FailureFacts) {
    super(describe(facts), facts.cause === undefined ? undefined : { cause: facts.cause })
    this.reason = facts.reason
    this.stage = facts.stage
    this.receiver = facts.receiver
    this.bytes = facts.bytes
    this.pendingBytes = facts.pendingBytes
    this.limitBytes = facts.limitBytes
  }
}

function describe(facts: FailureFacts): string {
  const why = facts.receiver === null ? facts.reason : `${facts.reason}, receiver ${facts.receiver}`
  const held = `${facts.pendingBytes} bytes pending under a limit of ${facts.limitBytes}`
  return `a message of ${facts.bytes} bytes was ${facts.stage}: ${why} (${held})`
}

/** Makes the error of one failure, with a stack only where the caller's code is what has to be found. */
export function failureError(facts: FailureFacts): SendFailError {
  if (facts.stage === 'refused' && facts.reason !== 'buffer_full') return new SendFailError(facts)
  const depth = Error.stackTraceLimit
  Reflect.set(Error, 'stackTraceLimit', 0) // an assignment would throw under --frozen-intrinsics
  const error = new SendFailError(facts)
  Reflect.set(Error, 'stackTraceLimit', depth)
  return error
}

/** An argument or option of the wrong type: says what was received and what would be right. */
export function wrongType(code: ErrorCode, name: string, expected: string, received: unknown): TypeError {
  return Object.assign(new TypeError(`${name} must be ${expected}; received ${show(received)}`), { code })
}

/** A value of the right type that is out of range. */
export function outOfRange(code: ErrorCode, name: string, expected: string, received: unknown): RangeError {
  return Object.assign(new RangeError(`${name} must be ${expected}; received ${show(received)}`), { code })
}

/** One short line for any value, also for one whose own methods throw. */
export function show(value: unknown): string {
  try {
    return describeValue(value)
  } catch {
    return typeof value === 'function' ? 'a function (unknown)' : 'an object (unknown)'
  }
}

function describeValue(value: unknown): string {
  if (typeof value === 'function') return `a function (${nameOf(value)})`
  if (typeof value === 'object' && value !== null) return `an object (${constructorOf(value)})`
  const text = inspect(value)
  return text.length > 80 ? `${text.slice(0, 77)}...` : text
}

function constructorOf(value: object): string {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype === null) return 'null prototype'
  const maker = (prototype as { constructor?: unknown }).constructor
  return typeof maker === 'function' ? nameOf(maker) : 'anonymous'
}

function nameOf(maker: { readonly name: unknown }): string {
  return typeof maker.name === 'string' && maker.name !== '' ? maker.name : 'anonymous'
}
