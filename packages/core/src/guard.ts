import { reasonAfter } from './closer.ts'
import { Connection } from './connection.ts'
import { refusal } from './limit.ts'
import type { Reason } from './reason.ts'
import { registry } from './registry.ts'
import type { SendCallback } from './reporting.ts'

/** Under this key a guarded socket holds its guard, whichever copy of the library put it there. */
export const GUARD: unique symbol = Symbol.for('sendfail.guard.v1') as never

/**
 * The guard of one connection: decides on each send, follows what is pending, and says how it ended.
 *
 *   write()/send()
 *        │ healthy: nothing waits                      a door of the transport, which then
 *        ├──────────────▶ inner call ──▶ left at once? ──yes──▶ sentAtOnce
 *        │                                     └─no──▶ queued        (no callback: "silent")
 *        │ anything waits, or the socket is not open
 *        └──▶ settle ──▶ admit ──refused──▶ refuse ──▶ callback, handlers, policy
 *                          └─admitted─▶ inner call with completion() ──▶ accepted
 *   later
 *        completed() in order, or settle() when all has left           ──▶ sent
 *        end(), called by the socket's own destruction                 ──▶ sent or lost
 *
 * A healthy connection allocates nothing and is visited by no timer; `Waiting` is made at its first backlog.
 */
export class Guard<S extends object = object> extends Connection<S> {
  /** What the socket's own door was, to be called by the guarded one. */
  inner: unknown = null
  /** What a caller put over the guarded door since. */
  outer: unknown = null
  /** Own properties of the socket that the guarded doors stand in for; `null` where there were none. */
  found: PropertyDescriptorMap | null = null
  /** The guard of a socket underneath that gave way to this one. */
  replaced: Guard | null = null
  #completion: SendCallback | null = null

  /**
   * The reason to refuse a message on an open connection, or `null`. Call {@link settle} first.
   *
   * @param atLeast so many bytes are held in any case, whoever's they are
   */
  admit(bytes: number, atLeast = 0): Reason | null {
    const held = Math.max(this.pendingBytes + this.foreignBytes, atLeast)
    const reason = refusal(held, bytes, this.limitBytes, this.policy.admission === 'strict')
    if (reason === null || !this.#observes()) return reason
    this.overLimit++
    this.series.overLimit++
    return null
  }

  /** A refused message: counted, told to its callback and the handlers, and answered by the policy. */
  refuse(reason: Reason, bytes: number, callback: SendCallback | null): void {
    const receiver = reason === 'buffer_full' ? this.receiver() : null
    const error = this.report(reason, 'refused', receiver, bytes, callback !== null)
    if (callback !== null) process.nextTick(callback, error)
    if (reason !== 'buffer_full') return
    this.reachLimit()
    if (this.onFull === 'close') this.close('limit')
  }

  /** A message for a connection that is no longer open. */
  refuseClosed(bytes: number, callback: SendCallback | null): void {
    this.refuse(reasonAfter(this.closer(), 'refused'), bytes, callback)
    if (this.ended) registry.watcher?.late(this)
  }

  /** The first message of a backlog: written on the short way, it has not left and nothing will tell when it has. */
  queued(bytes: number, wireBytes: number): void {
    this.wait(bytes).pushHead(bytes, wireBytes)
  }

  /** The last message of a connection, given to its `end`: never refused, and nothing tells when it has left. */
  queuedLast(bytes: number, wireBytes: number): void {
    this.wait(bytes).pushTail(bytes, wireBytes)
    this.settle()
  }

  /** A message was accepted and will call {@link completion}. It may have left already. */
  accepted(bytes: number, wireBytes: number): void {
    this.wait(bytes).push(bytes, wireBytes)
    this.settle()
    if (this.pendingBytes >= this.limitBytes) this.reachLimit()
  }

  /** A message was accepted and its write failed within the call. */
  failedAtOnce(bytes: number): void {
    this.swift = false
    this.lose(bytes)
  }

  /** The callback to send with, around the user's own. Without one it is shared by all messages of the connection. */
  completion(callback: SendCallback | null): SendCallback {
    if (callback === null) {
      this.#completion ??= (error) => this.completed(error)
      return this.#completion
    }
    return (error) => {
      this.completed(error)
      callback(error)
    }
  }

  /**
   * The same for a message of no bytes on the wire: the stream's length says nothing of it, only its own callback does.
   * Call {@link acceptedEmpty} once it was accepted.
   */
  completionOfEmpty(callback: SendCallback | null): SendCallback {
    return (error) => {
      if (this.pending > 0) this.forget(1, 0)
      if (error == null) this.sentAtOnce(0)
      else this.lose(0)
      if (callback !== null) callback(error)
    }
  }

  acceptedEmpty(): void {
    this.hold(0)
  }

  /** Takes the guard's share out of the process's books when the socket is unwrapped. */
  retire(): void {
    this.transport.uninstall(this)
    registry.unfollow(this)
    if (this.ended) return
    this.ended = true
    this.forget(this.pending, this.pendingBytes)
    this.series.connections--
    this.countLimit(-1)
    registry.watcher?.forgotten(this)
  }

  /** A socket may come to carry HTTP after it was wrapped; then too nothing is cut out of a response. */
  #observes(): boolean {
    return this.onFull === 'observe' || (this.onFull === 'drop' && this.transport.carriesHttp(this.socket))
  }
}
