import { GUARD, givenOptions, guardSocket, registry, type WrapOptions, wrongType } from '@sendfail/core'
import './metrics.ts'
import { closed } from './close.ts'
import { entering } from './cork.ts'
import { DEFAULT_NATIVE_LIMIT, nativeLimit } from './limit.ts'
import { countDrop } from './send.ts'
import { type Guarded, type Rules, stateOf, type UwsWebSocketLike } from './socket.ts'
import { uwsTransport } from './transport.ts'

/**
 * The part of a `WebSocketBehavior` of uWebSockets.js that is used here. The types of the handlers are those of the
 * installed version.
 */
export interface UwsBehaviorLike {
  maxBackpressure?: number
  closeOnBackpressureLimit?: boolean | number
  open?: ((ws: never) => unknown) | undefined
  message?: ((ws: never, message: ArrayBuffer, isBinary: boolean) => unknown) | undefined
  dropped?: ((ws: never, message: ArrayBuffer, isBinary: boolean) => unknown) | undefined
  drain?: ((ws: never) => unknown) | undefined
  ping?: ((ws: never, message: ArrayBuffer) => unknown) | undefined
  pong?: ((ws: never, message: ArrayBuffer) => unknown) | undefined
  subscription?: ((ws: never, topic: ArrayBuffer, newCount: number, oldCount: number) => unknown) | undefined
  close?: ((ws: never, code: number, message: ArrayBuffer) => unknown) | undefined
}

type Handler = (this: unknown, ...args: [ws: Guarded, ...rest: unknown[]]) => unknown
type Before = (ws: Guarded, ...rest: unknown[]) => void

/** Under this key a wrapped behavior keeps what it was made of. */
const KEY: unique symbol = Symbol.for('sendfail.behavior.v1') as never

/**
 * Returns a behavior for `app.ws()` in which every connection is guarded before the user's `open` sees it. The handlers
 * of `behavior` are called as they would be without, with the same `this` and arguments; it is not changed itself.
 * Wrapping a wrapped behavior changes the options that are given.
 *
 * `maxBackpressure`, the limit of uWS itself, is set to this one unless `behavior` has it: a send is refused here before
 * uWS drops it, and a published message, which comes past the guard, is dropped by uWS at the same limit. With
 * `closeOnBackpressureLimit` the default of `onFull` is `'close'`.
 *
 * @param limit the most bytes to hold for one peer (default 1 MiB), or options
 * @throws {TypeError} `ERR_SEND_FAIL_SERVER` for anything else; `ERR_SEND_FAIL_LIMIT`, `ERR_SEND_FAIL_OPTION`
 * @throws {RangeError} `ERR_SEND_FAIL_LIMIT`, `ERR_SEND_FAIL_OPTION`
 */
export function wrapBehavior<B extends UwsBehaviorLike, S extends object = UwsWebSocketLike>(
  behavior: B,
  limit?: number | WrapOptions<S>,
): B {
  if (typeof behavior !== 'object' || behavior === null)
    throw wrongType('ERR_SEND_FAIL_SERVER', 'behavior', 'a WebSocketBehavior of uWebSockets.js', behavior)
  const made = (behavior as { [KEY]?: Made<B> })[KEY] ?? { bare: behavior, given: {} }
  const given: WrapOptions = { ...made.given, ...givenOptions(limit) }
  const { bare } = made
  const closes = Boolean(bare.closeOnBackpressureLimit)
  const options: WrapOptions = { ...(closes ? { onFull: 'close' as const } : {}), ...given }
  const wrapped = Object.create(Object.getPrototypeOf(bare), Object.getOwnPropertyDescriptors(bare))
  Object.defineProperty(wrapped, KEY, { value: { bare, given } satisfies Made<B> })
  const sets = bare.maxBackpressure === undefined && options.onFull !== 'observe'
  const native = sets
    ? nativeLimit(given.maxSendBufferSize ?? registry.defaultLimitBytes)
    : (bare.maxBackpressure ?? DEFAULT_NATIVE_LIMIT)
  if (sets) put(wrapped, 'maxBackpressure', native)
  const rules: Rules = { tellsOfDrops: false, nativeLimitBytes: native, closesWhenDropping: closes }
  put(
    wrapped,
    'open',
    around(bare.open, (ws) => {
      guardSocket(ws, uwsTransport as never, options)
      stateOf(ws).rules = rules
      entering(ws)
    }),
  )
  put(wrapped, 'close', around(bare.close, closed))
  put(
    wrapped,
    'drain',
    around(bare.drain, (ws) => {
      ws[GUARD]?.settle()
      entering(ws)
    }),
  )
  put(
    wrapped,
    'dropped',
    around(bare.dropped, (ws, message) => {
      rules.tellsOfDrops = true
      if (ws[GUARD] === undefined) return
      stateOf(ws).rules = rules // it may have been unwrapped, and wrapped by itself, since
      countDrop(ws, (message as ArrayBuffer).byteLength)
      entering(ws)
    }),
  )
  for (const name of ['message', 'ping', 'pong', 'subscription'] as const) {
    if (typeof bare[name] === 'function') put(wrapped, name, around(bare[name], entering))
  }
  return wrapped
}

interface Made<B> {
  readonly bare: B
  readonly given: WrapOptions
}

function around(handler: unknown, before: Before): Handler {
  if (typeof handler !== 'function') return before
  return function (...args) {
    before(...args)
    return Reflect.apply(handler, this, args)
  }
}

function put(behavior: object, name: string, value: unknown): void {
  Object.defineProperty(behavior, name, { configurable: true, enumerable: true, value, writable: true })
}
