import assert from 'node:assert/strict'
import type net from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Reason, type SocketStatus, snapshot, socketStatus, wrapSocket } from '@sendfail/core'
import type { WebSocket } from 'ws'
import { isWebSocketKind, type Kind, type Link, openLink } from '../fixtures/link.ts'
import { ENDS, type Material, type Program, type Step } from './program.ts'

/** One message as the oracle remembers it. */
interface Message {
  readonly bytes: Buffer
  /** What the call reported. */
  readonly accepted: boolean
  readonly callback: { expected: boolean; calls: number; error: unknown; proved: boolean }
}

/** The kernel's send and receive buffers on loopback together hold less than this. */
const KERNEL_BYTES = 16_000_000

/** How an end came about, as the oracle sees it. */
type First = 'limit' | 'peer' | 'self' | null

/**
 * Runs one program on a real connection beside an oracle that knows only what it did, what each call reported, what
 * Node's own state said before it, and what the peer received. Throws where the books disagree.
 */
export async function runProgram(kind: Kind, program: Program): Promise<void> {
  const link = await openLink(kind, { allowHalfOpen: program.allowHalfOpen })
  const before = snapshot()
  const run = new Run(link, program)
  try {
    for (const step of program.steps) {
      await run.perform(step)
      run.checkLaw()
    }
    await run.finish()
    const after = snapshot()
    for (const key of [
      'attempted',
      'sent',
      'failed',
      'attemptedBytes',
      'sentBytes',
      'failedBytes',
    ] as const) {
      assert.equal(
        after[key] - before[key],
        socketStatus(link.socket)[key],
        `the process counted the same ${key}`,
      )
    }
    assert.equal(after.pending, before.pending)
    assert.equal(after.pendingBytes, before.pendingBytes)
  } finally {
    await link.dispose()
  }
}

class Run {
  readonly #link: Link
  readonly #program: Program
  readonly #isWebSocket: boolean
  readonly #messages: Message[] = []
  #first: First = null
  #abrupt: 'peer' | 'self' | null = null
  #owesDrain = false

  constructor(link: Link, program: Program) {
    this.#link = link
    this.#program = program
    this.#isWebSocket = isWebSocketKind(link.kind)
    const { admission, maxSendBufferSize, onFull } = program
    wrapSocket(link.socket, { admission, maxSendBufferSize, onFull })
    link.under.on('drain', () => {
      this.#owesDrain = false
    })
  }

  async perform(step: Step): Promise<void> {
    const { peer } = this.#link
    const stream = this.#link.socket as net.Socket
    const ws = this.#link.socket as WebSocket
    const end = ENDS[step.do]
    const wasOpen = this.#isOpen()
    switch (step.do) {
      case 'send':
      case 'endWith':
        this.#send(step.do, step.size, step.of, step.callback)
        break
      case 'wait':
        for (let turn = 0; turn < step.turns; turn++) await sleep(1)
        break
      case 'cork':
        stream.cork()
        break
      case 'uncork':
        stream.uncork()
        break
      case 'ping':
        ws.ping('beat')
        break
      case 'peerPauses':
        peer.pause()
        break
      case 'peerResumes':
        peer.resume()
        break
      case 'destroy':
        stream.destroy()
        break
      case 'destroyWithError':
        stream.destroy(new Error('enough'))
        break
      case 'end':
        stream.end()
        break
      case 'close':
        ws.close()
        break
      case 'terminate':
        ws.terminate()
        break
      case 'peerCloses':
        peer.close()
        break
      case 'peerEnds':
        peer.fin()
        break
      case 'peerResets':
        peer.reset()
        break
    }
    if (end === 'peer') await this.#untilSeen()
    if (end === undefined) return
    if (/destroy|terminate/i.test(step.do)) this.#abrupt ??= 'self'
    if (step.do === 'peerResets') this.#abrupt ??= 'peer'
    if (this.#first === null && (wasOpen || end === 'self')) this.#first = end
  }

  /** A peer's end counts from when this process has read it. */
  async #untilSeen(): Promise<void> {
    const { under, socket } = this.#link
    const seen = () =>
      under.readableEnded || under.destroyed || (this.#isWebSocket && (socket as WebSocket).readyState > 1)
    for (let turn = 0; turn < 1000 && !seen(); turn++) await sleep(1)
    for (let turn = 0; turn < 2; turn++) await new Promise(setImmediate)
  }

  #isOpen(): boolean {
    const { under, socket } = this.#link
    return under.writable && (!this.#isWebSocket || (socket as WebSocket).readyState === 1)
  }

  #send(how: 'endWith' | 'send', size: number, of: Material, callback: boolean): void {
    const { socket } = this.#link
    const bytes = payload(this.#messages.length, size, of)
    const open = this.#isOpen()
    const before = socketStatus(socket)
    const record = { expected: callback, calls: 0, error: undefined as unknown, proved: false }
    const done = (error?: unknown) => {
      record.calls++
      record.error = error
      const { destroyed, errored } = this.#link.under
      record.proved =
        how === 'send' && (error === null || error === undefined) && !destroyed && errored === null
    }
    if (!open && this.#program.onFull === 'observe' && !this.#isWebSocket) this.#abrupt ??= 'self' // Node destroys it
    const verdict = how === 'endWith' && open ? null : this.#verdict(open, before.pendingBytes, bytes.length)
    const accepted = verdict === null || (open && this.#program.onFull === 'observe')
    const returned = this.#call(how, bytes, of, callback ? done : undefined)
    this.#messages.push({ bytes, accepted, callback: record })
    this.#checkSend(before, bytes.length, accepted)
    if (!accepted && open && this.#program.onFull === 'close' && verdict === 'buffer_full') {
      this.#first ??= 'limit'
      this.#abrupt ??= 'self'
    }
    if (this.#isWebSocket || how === 'endWith') return
    if (!accepted) assert.equal(returned, false, 'a refused write returns false')
    if (returned === false && open && this.#program.onFull !== 'observe') this.#owesDrain = true
  }

  /** The rule of the limit, said again from what was pending before. */
  #verdict(open: boolean, pendingBytes: number, bytes: number): Reason | null {
    const { admission, maxSendBufferSize } = this.#program
    if (!open) return '_OTHER'
    if (admission === 'lenient') return pendingBytes >= maxSendBufferSize ? 'buffer_full' : null
    if (bytes > maxSendBufferSize) return 'too_large'
    return pendingBytes + bytes > maxSendBufferSize ? 'buffer_full' : null
  }

  #call(how: 'endWith' | 'send', bytes: Buffer, of: Material, done?: () => void): unknown {
    const text = of === 'ascii' || of === 'wide' || of === 'latin1'
    if (this.#isWebSocket) {
      const ws = this.#link.socket as WebSocket
      if (of === 'arraybuffer') return ws.send(new Uint8Array(bytes).buffer, done)
      if (of === 'blob') return ws.send(new Blob([new Uint8Array(bytes)]) as never, done)
      return ws.send(text ? bytes.toString('utf8') : bytes, done)
    }
    const stream = this.#link.socket as net.Socket
    const encoding = of === 'latin1' ? 'latin1' : 'utf8'
    const chunk = text ? bytes.toString(encoding) : bytes
    if (how === 'endWith') return stream.end(chunk, encoding, done)
    return text ? stream.write(chunk as string, encoding, done) : stream.write(chunk, done)
  }

  /** One send moves one message, and all its bytes, into exactly one place. */
  #checkSend(before: SocketStatus, bytes: number, accepted: boolean): void {
    const after = socketStatus(this.#link.socket)
    assert.equal(after.attempted, before.attempted + 1, 'one attempt a call')
    assert.equal(after.attemptedBytes, before.attemptedBytes + bytes, 'its bytes, once')
    if (accepted) {
      if (!this.#link.under.errored)
        assert.equal(after.failed, before.failed, 'an accepted message has not failed yet')
      return
    }
    const refused = (status: SocketStatus) =>
      status.failures
        .filter((failure) => failure.stage === 'refused')
        .reduce((sum, failure) => sum + failure.count, 0)
    assert.equal(refused(after), refused(before) + 1, `a refused message is counted as refused`)
  }

  checkLaw(): void {
    const status = socketStatus(this.#link.socket)
    const { under } = this.#link
    assertLaw(status)
    assertLaw(snapshot())
    assert.equal(status.attempted, this.#messages.length)
    const narrow =
      !this.#isWebSocket &&
      this.#program.steps.every((step) => !('of' in step) || (step.of !== 'wide' && step.of !== 'latin1'))
    if (narrow && !under.destroyed && under.errored === null) {
      assert.equal(status.pendingBytes, under.writableLength, 'what is pending is what the stream holds')
    }
  }

  async finish(): Promise<void> {
    const link = this.#link
    link.peer.resume()
    if (!this.#isWebSocket)
      while ((link.socket as net.Socket).writableCorked > 0) (link.socket as net.Socket).uncork()
    if (this.#first === null) await this.#drained()
    if (this.#isWebSocket) (link.socket as WebSocket).close()
    else (link.socket as net.Socket).end()
    if (this.#abrupt === null) link.peer.close() // after an abrupt end it would draw a reset, and data under way is lost
    await link.closed
    await link.peer.gone
    await this.#callbacksDone()
    this.checkLaw()
    const status = socketStatus(link.socket)
    assert.equal(status.pending, 0, 'nothing is pending on a closed connection')
    assert.equal(status.pendingBytes, 0)
    this.#checkReasons(status)
    this.#checkReceived(status)
  }

  async #drained(): Promise<void> {
    const { socket, under } = this.#link
    for (let turn = 0; turn < 2000 && (socketStatus(socket).pending > 0 || under.writableLength > 0); turn++)
      await sleep(1)
    await sleep(1)
    const status = socketStatus(socket)
    assert.equal(status.pending, 0, 'everything leaves once the peer reads')
    assert.equal(status.receiver, 'ok')
    assert.equal(this.#owesDrain, false, "a write that returned false is followed by 'drain'")
  }

  async #callbacksDone(): Promise<void> {
    const due = () => this.#messages.some(({ callback }) => callback.expected && callback.calls === 0)
    for (let turn = 0; turn < 500 && due(); turn++) await sleep(1)
    await sleep(1)
    for (const [index, { callback, accepted }] of this.#messages.entries()) {
      assert.equal(
        callback.calls,
        callback.expected ? 1 : 0,
        `callback of message ${index} is called exactly once`,
      )
      const own = this.#program.onFull === 'observe' && !this.#isWebSocket // then the word is Node's, false or not
      if (callback.expected && !accepted && !own)
        assert.ok(callback.error, `callback of refused message ${index} gets an error`)
    }
  }

  /** All that failed because of the end carries the first cause. */
  #checkReasons(status: SocketStatus): void {
    const closedBy = { limit: 'limit', peer: 'client', self: 'server' } as const
    assert.equal(status.closedBy, closedBy[this.#first ?? 'self'])
    for (const { reason, stage } of status.failures) {
      if (reason === 'too_large' || (reason === 'buffer_full' && stage === 'refused')) continue
      const lost = { limit: 'buffer_full', peer: 'client_closed', self: 'server_closed' } as const
      const late = { limit: 'server_closed', peer: 'client_closed', self: 'server_closed' } as const
      assert.equal(reason, (stage === 'lost' ? lost : late)[this.#first ?? 'self'], `first cause of ${stage}`)
    }
  }

  /** What the peer got is a prefix of what was accepted, byte for byte; and it agrees with what was counted sent. */
  #checkReceived(status: SocketStatus): void {
    const { peer } = this.#link
    const accepted = this.#messages.filter((message) => message.accepted).map((message) => message.bytes)
    const receivedBytes = peer.receivedBytes()
    const whole = this.#isWebSocket ? peer.received.length : wholeMessages(accepted, receivedBytes)
    if (this.#isWebSocket) {
      for (const [index, message] of peer.received.entries())
        assert.ok(
          message.equals(accepted[index] ?? Buffer.alloc(0)),
          `message ${index} arrives as it was sent`,
        )
    } else {
      const expected = Buffer.concat(accepted).subarray(0, receivedBytes)
      assert.ok(
        Buffer.concat(peer.received).equals(expected),
        'the peer received what was accepted, in order',
      )
    }
    if (this.#isExact())
      assert.ok(whole <= status.sent, `${whole} messages arrived, ${status.sent} were counted sent`)
    assert.ok(
      status.sentBytes <= receivedBytes + KERNEL_BYTES,
      'no more is counted sent than the kernel can hold',
    )
    const empty = accepted.filter((message) => message.length === 0).length
    const arrived = this.#isWebSocket ? whole : whole + empty
    if (this.#isLossless())
      assert.ok(arrived >= status.sent, `${status.sent} were counted sent, ${arrived} arrived`)
    this.#checkCallbacks(status)
  }

  /** Can the books tell what of the last batch had left? Not where ws compresses, reads a Blob, or sends a ping in it. */
  #isExact(): boolean {
    const blobs = this.#program.steps.some(
      (step) => step.do === 'ping' || ('of' in step && step.of === 'blob'),
    )
    return this.#link.kind !== 'ws+deflate' && !blobs
  }

  /** Did everything arrive that left? Whatever the peer still sends to a closed socket draws a reset. */
  #isLossless(): boolean {
    const disturbing = new Set<string>(['peerCloses', 'peerEnds', 'peerResets', 'ping'])
    if (this.#abrupt === 'peer') return false
    if (this.#abrupt === null && !this.#isWebSocket) return true
    return !this.#program.steps.some((step) => disturbing.has(step.do))
  }

  /** A callback that reported success while the connection was sound reported a message that is counted sent. */
  #checkCallbacks(status: SocketStatus): void {
    const proved = this.#messages.filter(({ callback }) => callback.proved).length
    assert.ok(proved <= status.sent, `${proved} callbacks reported success, ${status.sent} were counted sent`)
  }
}

/** How many of the messages the first `bytes` bytes hold completely; of empty ones, those before the next byte. */
function wholeMessages(messages: readonly Buffer[], bytes: number): number {
  let left = bytes
  let whole = 0
  for (const message of messages) {
    if (message.length === 0) continue
    if (message.length > left) break
    left -= message.length
    whole++
  }
  return whole
}

/** The books add up, in messages and in bytes, and so do the reasons. */
export function assertLaw(
  books: Pick<
    SocketStatus,
    | 'attempted'
    | 'attemptedBytes'
    | 'failed'
    | 'failedBytes'
    | 'failures'
    | 'pending'
    | 'pendingBytes'
    | 'sent'
    | 'sentBytes'
  >,
): void {
  assert.equal(
    books.attempted,
    books.sent + books.failed + books.pending,
    'attempted = sent + failed + pending',
  )
  assert.equal(
    books.attemptedBytes,
    books.sentBytes + books.failedBytes + books.pendingBytes,
    'the same in bytes',
  )
  for (const value of Object.values(books))
    if (typeof value === 'number') assert.ok(value >= 0, 'no count is below zero')
  assert.equal(
    books.failures.reduce((sum, failure) => sum + failure.count, 0),
    books.failed,
    'the reasons add up',
  )
  assert.equal(
    books.failures.reduce((sum, failure) => sum + failure.bytes, 0),
    books.failedBytes,
    'the same in bytes',
  )
}

/** A message that says by its content which one it is; `size` bytes, for `wide` text the next lower multiple of three. */
function payload(index: number, size: number, of: Material): Buffer {
  if (of === 'wide') return Buffer.from(String.fromCharCode(0x4e00 + index).repeat(Math.floor(size / 3)))
  if (of === 'ascii') return Buffer.alloc(size, 65 + (index % 26))
  return Buffer.alloc(size, index + 1)
}
