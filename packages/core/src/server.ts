import { inspect } from 'node:util'
import { wrongType } from './errors.ts'
import { givenOptions, type WrapOptions } from './options.ts'

/**
 * What a function that guards a server takes: a limit in bytes, options, or a function that gives either for one
 * connection. The function is called once for each accepted connection, with the connection first; `undefined` from it
 * means the defaults.
 */
export type ServerLimit<S extends object, A extends unknown[] = []> =
  | number
  | WrapOptions<S>
  | ((socket: S, ...rest: A) => number | WrapOptions<S> | undefined)

/** What guarding a server returns. */
export interface ServerHandle<V extends object = object> {
  /** The server that was guarded. */
  readonly server: V
  /** Leaves connections accepted from now on bare; those accepted before stay guarded. A second call does nothing. */
  stop(): void
  /** The same as {@link stop}: `using handle = wrapServer(server)`. */
  [Symbol.dispose](): void
}

/** What an adapter says of a kind of server. */
export interface ServerKind<V extends object, S extends object, A extends unknown[] = []> {
  /** Throws unless these options can hold for every connection of such a server. */
  check(given: WrapOptions<S>): void
  /** Guards one accepted connection. */
  guard(socket: S, limit: number | WrapOptions<S> | undefined): void
  /** Given to `guard` when the limit that was asked for one connection is unusable. */
  readonly fallback: WrapOptions<S> | undefined
  /**
   * From now on has `accept` called with each accepted connection before the user's code sees it; more than once for
   * one connection does no harm. Returns what undoes that, exactly.
   */
  attach(server: V, accept: (socket: S, ...rest: A) => void): () => void
}

/** Under this key a guarded server holds its handle, whichever copy of the library put it there. */
const KEY: unique symbol = Symbol.for('sendfail.server.v1') as never

/**
 * Guards every connection that a server accepts from now on; what an adapter package calls. A server that is guarded
 * already takes the new limit for its later connections and keeps its handle.
 *
 * @throws {TypeError|RangeError} for a limit or option that is no function and not usable
 */
export function guardServer<K extends object, V extends K, S extends object, A extends unknown[]>(
  server: V,
  limit: ServerLimit<S, A> | undefined,
  kind: ServerKind<K, S, A>,
): ServerHandle<V> {
  if (typeof limit !== 'function') kind.check(givenOptions(limit))
  const known = (server as { [KEY]?: GuardedServer<V, S, A> })[KEY]
  if (known !== undefined) return known.configure(limit)
  const made = new GuardedServer<V, S, A>(server, limit, kind)
  Object.defineProperty(server, KEY, { configurable: true, value: made })
  return made
}

class GuardedServer<V extends object, S extends object, A extends unknown[]> implements ServerHandle<V> {
  readonly server: V
  readonly #kind: ServerKind<V, S, A>
  readonly #detach: () => void
  /** A connection can come twice: from a guarded method, and in an event emitted later by hand. */
  readonly #seen = new WeakSet<S>()
  #limit: ServerLimit<S, A> | undefined
  #stopped = false
  #warned = false

  constructor(server: V, limit: ServerLimit<S, A> | undefined, kind: ServerKind<V, S, A>) {
    this.server = server
    this.#kind = kind
    this.#limit = limit
    this.#detach = kind.attach(server, (socket, ...rest) => this.#accept(socket, rest))
  }

  configure(limit: ServerLimit<S, A> | undefined): this {
    this.#limit = limit
    this.#warned = false
    return this
  }

  stop(): void {
    if (this.#stopped) return
    this.#stopped = true
    this.#detach()
    delete (this.server as { [KEY]?: unknown })[KEY]
  }

  [Symbol.dispose](): void {
    this.stop()
  }

  /** Never throws: what is thrown among the listeners of a server ends the process. */
  #accept(socket: S, rest: A): void {
    if (this.#stopped || this.#seen.has(socket)) return
    try {
      this.#seen.add(socket)
      this.#kind.guard(socket, this.#limitOf(socket, rest))
    } catch (error) {
      this.#warn(error)
      this.#fallBack(socket)
    }
  }

  #limitOf(socket: S, rest: A): number | WrapOptions<S> | undefined {
    const given = this.#limit
    if (typeof given !== 'function') return given
    const limit: unknown = given(socket, ...rest)
    if (!(limit instanceof Promise)) return limit as number | WrapOptions<S> | undefined
    limit.catch(() => {})
    const expected = 'a number (bytes) or an options object, given at once'
    throw wrongType('ERR_SEND_FAIL_LIMIT', 'the limit of a connection', expected, limit)
  }

  #fallBack(socket: S): void {
    try {
      this.#kind.guard(socket, this.#kind.fallback)
    } catch {
      // no socket that can be guarded: it stays as it is, and the warning has said so
    }
  }

  /** Once, not for each connection: the next one fails for the same reason. */
  #warn(error: unknown): void {
    if (this.#warned) return
    this.#warned = true
    const { code } = Object(error) as { code?: unknown }
    process.emitWarning('the limit of a connection is not usable; the connection has the default limit', {
      type: 'SendFailWarning',
      code: String(code).startsWith('ERR_SEND_FAIL') ? String(code) : 'ERR_SEND_FAIL_CALLBACK',
      detail: inspect(error),
    })
  }
}
