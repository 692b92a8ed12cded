import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Reason, type SocketStatus, snapshot, socketStatus } from '@sendfail/uws'
import { openUws, type UwsKind, type UwsLink, type UwsSocket } from '../fixtures/uws-link.ts'
import { assertLaw } from './run.ts'
import { ENDED_BY, type UwsHow, type UwsMaterial, type UwsProgram, type UwsStep } from './uws-program.ts'

/** The kernel's send and receive buffers on loopback together hold less than this. */
const KERNEL_BYTES = 16_000_000
const DROPPED = 2
/** What a frame may be longer than its message. */
const HEADER = 10

interface Frame {
  readonly bytes: Buffer
  readonly accepted: boolean
}

/**
 * Runs one program on a real connection accepted by uWebSockets.js, beside an oracle that knows what it did, what each
 * call returned, and what the peer received. Throws where the books disagree.
 */
export async function runUwsProgram(kind: UwsKind, program: UwsProgram): Promise<void> {
  const { admission, maxBackpressure, maxSendBufferSize, onFull } = program
  const run = new Run(program, kind)
  const link = await openUws(kind, {
    limit: { admission, maxSendBufferSize, onFull },
    behavior: { maxBackpressure, message: (ws) => run.handled(ws) },
  })
  const before = snapshot()
  try {
    await run.through(link)
    const after = snapshot()
    for (const key of [
      'attempted',
      'sent',
      'failed',
      'attemptedBytes',
      'sentBytes',
      'failedBytes',
    ] as const) {
      const counted = after[key] - before[key]
      assert.equal(counted, socketStatus(link.ws)[key], `the process counted the same ${key}`)
    }
    assert.equal(after.pending, before.pending)
  } finally {
    await link.dispose()
  }
}

class Run {
  readonly #program: UwsProgram
  readonly #kind: UwsKind
  /** What the peer should get, a message or the frames of one each. */
  readonly #messages: Frame[][] = []
  #attempts = 0
  #first: SocketStatus['closedBy'] = null
  #gentle = true
  #inHandler: (() => void) | null = null

  constructor(program: UwsProgram, kind: UwsKind) {
    this.#program = program
    this.#kind = kind
  }

  /** In the handler of a message from the peer: sends what a step has left there. */
  handled(_ws: UwsSocket): void {
    const act = this.#inHandler
    this.#inHandler = null
    act?.()
  }

  async through(link: UwsLink): Promise<void> {
    for (const step of this.#program.steps) {
      await this.#perform(link, step)
      this.#checkLaw(link)
    }
    link.peer.resume()
    if (this.#first === null) await this.#drained(link)
    if (!link.isClosed()) {
      this.#first ??= 'server'
      link.ws.end(1000)
    }
    await Promise.all([link.closed, link.peer.gone])
    await sleep(1)
    this.#checkLaw(link)
    this.#checkEnd(link)
  }

  async #perform(link: UwsLink, step: UwsStep): Promise<void> {
    const { peer, ws } = link
    const wasOpen = !link.isClosed()
    const by = ENDED_BY[step.do]
    if (step.do === 'send') return this.#sendAs(link, step)
    if (step.do === 'wait') for (let turn = 0; turn < step.turns; turn++) await sleep(1)
    if (step.do === 'ping' && wasOpen) ws.ping('beat')
    if (step.do === 'peerPauses') peer.pause()
    if (step.do === 'peerResumes') peer.resume()
    if (step.do === 'peerCloses') peer.close()
    if (step.do === 'peerEnds') peer.fin()
    if (step.do === 'peerResets') peer.reset()
    if (step.do === 'end' || step.do === 'close') thrownBy(() => ws[step.do as 'end']())
    if (by === undefined) return
    if (by === 'client') for (let turn = 0; turn < 1000 && !link.isClosed(); turn++) await sleep(1)
    if (wasOpen && link.isClosed()) this.#first ??= by
    if (step.do === 'close' || step.do === 'peerResets') this.#gentle = false
  }

  async #sendAs(link: UwsLink, step: UwsStep & { do: 'send' }): Promise<void> {
    const { how, of, size } = step
    const act = () => this.#send(link, how, size, of)
    if (how !== 'handler' || link.isClosed()) {
      if (how !== 'cork' || link.isClosed()) return act()
      return void link.ws.cork(() => {
        act()
        act()
      })
    }
    this.#inHandler = act
    link.say('now')
    for (let turn = 0; turn < 1000 && this.#inHandler !== null && !link.isClosed(); turn++) await sleep(1)
    if (this.#inHandler === null) return
    this.#inHandler = null
    act()
  }

  #send(link: UwsLink, how: UwsHow, size: number, of: UwsMaterial): void {
    const bytes = payload(this.#messages.length, size, of)
    const frames = how === 'fragments' ? [0, 1, 2].map((part) => third(bytes, part)) : [bytes]
    const sent: Frame[] = []
    this.#messages.push(sent)
    for (const [part, frame] of frames.entries()) {
      const before = socketStatus(link.ws)
      const open = !link.isClosed()
      const verdict = part === 0 ? this.#verdict(before.pendingBytes, frame.length) : null
      const follows = part === 0 || sent[0]?.accepted === true
      let returned: unknown
      const error = thrownBy(() => {
        returned = this.#call(link.ws, how, part, frame, of)
      })
      this.#attempts++
      const accepted = open && error === null && returned !== DROPPED
      sent.push({ bytes: frame, accepted })
      const where = `${how} ${part}, ${frame.length} bytes`
      assert.equal(error !== null, !open, `${where}: throws as on a bare one`)
      if (open && follows && verdict !== null && this.#program.onFull !== 'observe')
        assert.equal(returned, DROPPED, `${where}: refused by ${verdict}`)
      const spare =
        this.#program.maxBackpressure === 0 && before.pendingBytes + HEADER * before.pending < 16_384
      if (open && follows && verdict === null && spare) assert.notEqual(returned, DROPPED, `${where}: fits`)
      if (open && !accepted && verdict !== 'too_large' && this.#program.onFull === 'close')
        this.#endedByLimit(link)
      const after = socketStatus(link.ws)
      assert.equal(after.attempted, before.attempted + 1, 'one attempt a call')
      assert.equal(after.attemptedBytes, before.attemptedBytes + frame.length, 'its bytes, once')
      if (!accepted) assert.equal(refused(after), refused(before) + 1, 'counted as refused')
      else if (!link.isClosed()) assert.equal(after.failed, before.failed)
    }
  }

  #endedByLimit(link: UwsLink): void {
    if (!link.isClosed()) return
    this.#first ??= 'limit'
    this.#gentle = false
  }

  /** The rule of the limit, said again from what was pending before. */
  #verdict(pendingBytes: number, bytes: number): Reason | null {
    const { admission, maxSendBufferSize } = this.#program
    if (admission === 'lenient') return pendingBytes >= maxSendBufferSize ? 'buffer_full' : null
    if (bytes > maxSendBufferSize) return 'too_large'
    return pendingBytes + bytes > maxSendBufferSize ? 'buffer_full' : null
  }

  #call(ws: UwsSocket, how: UwsHow, part: number, bytes: Buffer, of: UwsMaterial): unknown {
    const compress = this.#kind === 'uws+deflate'
    const text = of === 'ascii' || of === 'wide'
    const data = text ? bytes.toString() : of === 'buffer' ? bytes : new Uint8Array(bytes).buffer
    if (how !== 'fragments') return ws.send(data, !text, compress)
    if (part === 0) return ws.sendFirstFragment(data, true)
    return part === 1 ? ws.sendFragment(data) : ws.sendLastFragment(data)
  }

  #checkLaw(link: UwsLink): void {
    const status = socketStatus(link.ws)
    assertLaw(status)
    assertLaw(snapshot())
    assert.equal(status.attempted, this.#attempts)
  }

  async #drained({ ws }: UwsLink): Promise<void> {
    for (let turn = 0; turn < 3000 && socketStatus(ws).pending > 0; turn++) await sleep(1)
    assert.equal(socketStatus(ws).pending, 0, 'everything leaves once the peer reads')
    assert.equal(socketStatus(ws).receiver, 'ok')
  }

  #checkEnd({ peer, ws }: UwsLink): void {
    const status = socketStatus(ws)
    assert.equal(status.pending, 0, 'nothing is pending on a closed connection')
    assert.equal(status.closedBy, this.#first)
    const late = { client: 'client_closed', limit: 'server_closed', server: 'server_closed' }
    for (const { reason, stage } of status.failures) {
      if (reason === 'too_large' || reason === 'buffer_full') continue
      assert.equal(reason, late[this.#first as 'client'], `first cause of ${stage}`)
    }
    const whole = this.#messages.filter((frames) => frames.every(({ accepted }) => accepted))
    for (const [index, message] of peer.received.entries()) {
      const wanted = Buffer.concat((whole[index] ?? []).map(({ bytes }) => bytes))
      assert.ok(message.equals(wanted), `message ${index} arrives as it was sent`)
    }
    assert.ok(
      status.sentBytes <= peer.receivedBytes() + KERNEL_BYTES,
      'no more is sent than the kernel can hold',
    )
    if (!this.#gentle || this.#isDisturbed() || this.#messages.some(isCut)) return
    const frames = whole.slice(0, peer.received.length).reduce((sum, one) => sum + one.length, 0)
    if (this.#first === 'server')
      assert.ok(frames >= status.sent, `${status.sent} were sent, ${frames} arrived`)
  }

  /** Whatever the peer still sends to a closed socket, a pong too, draws a reset, and what is under way is lost. */
  #isDisturbed(): boolean {
    const disturbing = new Set<string>(['peerCloses', 'peerEnds', 'peerResets', 'ping'])
    return this.#program.steps.some((step) => disturbing.has(step.do))
  }
}

/** uWS drops single frames of a message by a limit of its own: the peer does not get the rest as a message. */
const isCut = (frames: readonly Frame[]): boolean => new Set(frames.map(({ accepted }) => accepted)).size > 1

const refused = ({ failures }: SocketStatus): number =>
  failures.reduce((sum, { count, stage }) => sum + (stage === 'refused' ? count : 0), 0)

function thrownBy(call: () => void): unknown {
  try {
    call()
  } catch (error) {
    return error
  }
  return null
}

const third = (bytes: Buffer, part: number): Buffer =>
  bytes.subarray(
    3 * Math.floor((part * bytes.length) / 9),
    part === 2 ? bytes.length : 3 * Math.floor(((part + 1) * bytes.length) / 9),
  )

function payload(index: number, size: number, of: UwsMaterial): Buffer {
  if (of === 'wide') return Buffer.from(String.fromCharCode(0x4e00 + index).repeat(Math.floor(size / 3)))
  return Buffer.alloc(size, of === 'ascii' ? 65 + (index % 26) : index + 1)
}
