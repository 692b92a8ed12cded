import { closerOf, type ErrorFacts, reasonAfter } from './closer.ts'
import type { OnFull, Policy } from './options.ts'
import type { Closer, Receiver, ReceiverState } from './reason.ts'
import { receiverState } from './receiver.ts'
import { type Followed, registry } from './registry.ts'
import { ReportingAccount } from './reporting.ts'
import type { Transport } from './transport.ts'
import { type BacklogStatus, Waiting } from './waiting.ts'

/** A connection from the moment a message is accepted: what waits, what its receiver does, and how it ends. */
export class Connection<S extends object = object> extends ReportingAccount<S> implements Followed {
  readonly transport: Transport<S>
  /** May a door take the short way? Only while the connection is open and its state is known to be simple. */
  swift: boolean
  /** No more messages can leave: the connection was destroyed. */
  ended: boolean
  /** Who ended the connection first, recorded when it happened. */
  closedBy: Closer | null = null
  tickMs: number
  /** In the registry's list of backlogged connections. */
  followed = false
  /** Called once when the buffer is empty. */
  whenEmpty: (() => void) | null = null
  protected waiting: Waiting<S> | null = null
  /** What the receiver was doing when the limit closed the connection. */
  protected lostReceiver: Receiver = 'burst'
  /** Bytes found in the buffer when the socket was wrapped. */
  protected foreignBytes = 0

  /** @param open whether more can be sent; `false` for a socket that is wrapped after its end. */
  constructor(
    socket: S,
    transport: Transport<S>,
    limitBytes: number,
    policy: Policy,
    onFull: OnFull,
    open = true,
  ) {
    super(socket, registry.seriesOf(transport.series(socket)), limitBytes, policy, onFull)
    this.transport = transport
    this.tickMs = tickOf(policy)
    this.ended = !open
    this.swift = open
    if (open) {
      this.series.connections++
      this.countLimit(1)
      registry.watcher?.opened(this)
    } else {
      this.closedBy = this.closer()
    }
  }

  /** Changes limit and options; counts nothing twice. */
  configure(limitBytes: number, policy: Policy, onFull: OnFull): void {
    if (!this.ended) this.countLimit(-1)
    this.limitBytes = limitBytes
    this.policy = policy
    this.onFull = onFull
    this.tickMs = tickOf(policy)
    if (!this.ended) this.countLimit(1)
    if (this.followed) registry.follow(this)
  }

  /** What the socket already holds when it is wrapped fills the buffer, but is nobody's message. */
  adoptBuffered(): void {
    this.foreignBytes = this.transport.buffered(this.socket)
    if (this.foreignBytes > 0) registry.follow(this)
  }

  /** Who ended the connection, as far as is known now; asked when a send finds it not open. */
  closer(): Closer {
    const { socket, transport } = this
    if (this.closedBy !== null) return this.closedBy
    this.cause ??= transport.failure(socket)
    const established = this.cause !== null && transport.established(socket)
    return closerOf(this.cause, transport.peerClosed(socket), established)
  }

  /** This process closes its side: recorded unless the peer was first. */
  closing(): void {
    this.swift = false
    this.closedBy ??= this.transport.peerClosed(this.socket) ? 'client' : 'server'
  }

  /** Takes what has left off the books, as far as the stream shows it. */
  settle(): void {
    const { socket, transport } = this
    if (this.ended || (this.pending === 0 && this.foreignBytes === 0) || transport.failure(socket) !== null)
      return
    if (this.foreignBytes > 0) {
      const ours = transport.settlesByAmount ? (this.waiting?.backlog.wireBytes ?? 0) : 0 // elsewhere the units differ
      this.foreignBytes = Math.min(this.foreignBytes, Math.max(0, transport.buffered(socket) - ours))
    }
    this.leave(this.waiting === null ? 0 : this.waiting.left())
  }

  /** What the receiver is doing now. */
  state(nowMs: number = registry.now()): ReceiverState {
    const waiting = this.waiting
    if (waiting === null || waiting.backlog.count === 0 || this.ended) return 'ok'
    return receiverState(
      { sinceMs: waiting.sinceMs, progressMs: waiting.progressAt(nowMs) },
      nowMs,
      this.policy,
    )
  }

  /** What this connection's backlog is like now; `null` without one. Looks for progress. */
  backlogStatus(nowMs: number = registry.now()): BacklogStatus | null {
    const { waiting } = this
    if (waiting === null || waiting.backlog.count === 0 || this.ended) return null
    return waiting.status(this, nowMs)
  }

  /** @inheritdoc */
  sweep(nowMs: number): boolean {
    this.settle()
    if (this.ended || (this.pending === 0 && this.foreignBytes === 0)) return false
    const { closeAfterFullMs, closeAfterStallMs } = this.policy
    const fullForMs = this.full ? nowMs - this.fullMs : 0
    const stalledForMs = this.waiting?.backlog.count ? nowMs - this.waiting.progressAt(nowMs) : 0
    if (fullForMs >= closeAfterFullMs || stalledForMs >= closeAfterStallMs) this.close('timeout')
    return !this.ended
  }

  /** Ends the connection by policy. */
  close(closer: Closer): void {
    if (this.ended) return
    this.closedBy ??= this.transport.peerClosed(this.socket) ? 'client' : closer // the first cause stands
    this.transport.destroy(this.socket)
  }

  /**
   * The connection is being destroyed: called by the transport while its handle still answers. What has left by now is
   * sent, the rest is lost, and the first cause stands.
   */
  end(error: ErrorFacts | null): void {
    if (this.ended) return
    const { socket, transport } = this
    this.cause = error ?? transport.failure(socket)
    const established = this.cause !== null && transport.established(socket)
    this.closedBy ??= closerOf(this.cause, transport.peerClosed(socket), established)
    if (this.closedBy === 'limit') this.lostReceiver = this.receiver()
    const waiting = this.waiting
    const writeFailed = this.cause?.syscall === 'write' && !established // then the stream's length tells nothing
    if (waiting !== null && !writeFailed) this.leave(waiting.left())
    if (waiting !== null) this.leave(waiting.leftAtEnd(writeFailed))
    this.ended = true
    this.swift = false
    this.series.connections--
    this.countLimit(-1)
    while (waiting !== null && waiting.backlog.count > 0) {
      const bytes = waiting.shift()
      this.forget(1, bytes)
      this.lose(bytes)
    }
    registry.watcher?.ended(this)
  }

  /** A message that was accepted will not leave. */
  protected lose(bytes: number): void {
    const reason = reasonAfter(this.closer(), 'lost')
    this.report(reason, 'lost', reason === 'buffer_full' ? this.lostReceiver : null, bytes, false)
  }

  protected wait(bytes: number): Waiting<S> {
    this.waiting ??= new Waiting(this.socket, this.transport)
    if (this.waiting.backlog.count === 0) {
      this.waiting.begin(registry.now(), this.sentBytes, this.failedBytes)
      if (!this.followed) registry.follow(this)
    }
    this.hold(bytes)
    return this.waiting
  }

  protected completed(error: Error | null | undefined): void {
    const waiting = this.waiting
    if (waiting === null || this.ended) return
    const left = waiting.leftByCompletion()
    if (error == null) this.leave(left) // an error ends the connection, and the end settles
  }

  protected leave(messages: number): void {
    const { waiting } = this
    for (let left = messages; left > 0 && waiting?.backlog.count; left--) this.release(waiting.shift())
    if (this.pending > 0 || this.foreignBytes > 0) return
    if (this.full) this.drained()
    const { whenEmpty } = this
    this.whenEmpty = null
    if (whenEmpty !== null) whenEmpty()
  }

  protected receiver(): Receiver {
    const state = this.state()
    return state === 'ok' ? 'burst' : state
  }
}

/** Four looks before the shortest threshold, at least one a second. */
export function tickOf(policy: Policy): number {
  const { closeAfterFullMs, closeAfterStallMs, slowAfterMs, stallAfterMs } = policy
  return Math.min(
    1000,
    Math.max(5, Math.min(closeAfterFullMs, closeAfterStallMs, slowAfterMs, stallAfterMs) / 4),
  )
}
