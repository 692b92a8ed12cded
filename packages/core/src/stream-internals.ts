import type { Socket } from 'node:net'
import { Writable } from 'node:stream'
import type { TLSSocket } from 'node:tls'

/**
 * The undocumented parts of Node that are read here, and what stands in where one is missing. Everything is optional:
 * without a handle's counters the verdict on a connection's last batch is coarser, nothing else changes.
 */
interface Handle {
  /** Bytes handed to libuv; on TLS, plain bytes. */
  readonly bytesWritten?: number
  /** Bytes in libuv's queue, falling while one write drains. */
  readonly writeQueueSize?: number
  /** The transport under TLS. */
  readonly _parent?: Handle
  readonly getpeername?: (out: object) => number
}

interface Internals {
  readonly _handle?: Handle | null
  readonly _readableState?: { readonly ended?: boolean }
  readonly _writableState?: { defaultEncoding?: BufferEncoding; needDrain?: boolean }
  readonly _httpMessage?: unknown
  readonly parser?: unknown
  readonly encrypted?: boolean
  readonly secureConnecting?: boolean
}

const internals = (socket: Socket): Internals => socket as Internals

/** The handle whose queue moves as bytes leave: under TLS only that of the transport does. */
function wireHandle(socket: Socket): Handle | undefined {
  const handle = internals(socket)._handle ?? undefined
  return internals(socket).encrypted === true ? handle?._parent : handle
}

/** Plain bytes handed down to be written; `NaN` where Node does not say. */
export function dispatchedBytes(socket: Socket): number {
  return internals(socket)._handle?.bytesWritten ?? Number.NaN
}

/**
 * Bytes at the end of the stream that the operating system has not got: those in libuv's queue and those not handed
 * down. TLS holds data back until it is secure.
 */
export function unsentBytes(socket: Socket, wireBytes: number): number {
  if (socket.writableLength === 0) return 0
  const queued = wireHandle(socket)?.writeQueueSize
  if (queued === undefined || internals(socket).secureConnecting === true) return Number.POSITIVE_INFINITY
  const waiting = socket.bytesWritten - dispatchedBytes(socket)
  const encrypted = internals(socket).encrypted === true
  return waiting + (encrypted ? unsentPlain(socket as TLSSocket, queued, wireBytes - waiting) : queued)
}

/** A TLS record carries at most so many bytes: https://www.rfc-editor.org/rfc/rfc8446#section-5.1 */
const RECORD_BYTES = 16384
/** What a record adds in TLS 1.3 (section 5.2 there), and in TLS 1.2 with AES-GCM (RFC 5288). */
const RECORD_OVERHEAD: Readonly<Record<string, number>> = { 'TLSv1.2': 29, 'TLSv1.3': 22 }

/**
 * Of the plain bytes in flight, how many have not left when `queued` encrypted ones have not. Below the transport's
 * queue TLS has one of its own, in which a write waits behind a handshake message: it holds more than the write itself
 * makes then, and nothing of the write can be said to have left.
 */
function unsentPlain(socket: TLSSocket, queued: number, inFlight: number): number {
  const overhead = RECORD_OVERHEAD[socket.getProtocol() ?? ''] ?? Number.NaN
  const encrypted = inFlight + overhead * Math.ceil(inFlight / RECORD_BYTES)
  if (internals(socket)._handle?.writeQueueSize !== encrypted) return inFlight
  return Math.ceil((queued * RECORD_BYTES) / (RECORD_BYTES + overhead))
}

/** Changes whenever a byte leaves, also while one write drains: https://nodejs.org/api/stream.html says nothing of it. */
export function progress(socket: Socket): number {
  const handle = wireHandle(socket)
  if (handle?.bytesWritten === undefined || handle.writeQueueSize === undefined) return -socket.writableLength
  return handle.bytesWritten - handle.writeQueueSize
}

/** Has the peer's FIN been read, whether or not `'end'` was emitted yet? */
export function finReceived(socket: Socket): boolean {
  return internals(socket)._readableState?.ended ?? socket.readableEnded
}

/** Does the kernel still call the connection established? A reset or timed-out TCP socket has no peer name. */
export function established(socket: Socket): boolean {
  const handle = internals(socket)._handle
  return typeof handle?.getpeername === 'function' && handle.getpeername({}) === 0
}

/** An HTTP parser, or a response in the making, has the socket. */
export function carriesHttp(socket: Socket): boolean {
  return (internals(socket).parser ?? internals(socket)._httpMessage ?? null) !== null
}

/** A Unix domain socket or named pipe. */
export function isPipe(socket: Socket): boolean {
  return wireHandle(socket)?.constructor.name === 'Pipe'
}

/** The encoding of a string that is written without one. */
export function defaultEncoding(socket: Socket): BufferEncoding {
  return internals(socket)._writableState?.defaultEncoding ?? 'utf8'
}

/** Features that were found to work, by trying each once. */
export const FEATURES: { needDrain: boolean } = { needDrain: probeNeedDrain() }

/** Does a stream emit `'drain'` when its need-drain flag is set from outside? */
function probeNeedDrain(): boolean {
  const callbacks: (() => void)[] = []
  let drained = false
  const probe = new Writable({
    write(_chunk, _encoding, callback) {
      callbacks.push(callback)
    },
  })
  probe.on('drain', () => {
    drained = true
  })
  probe.write('x')
  askForDrain(probe)
  for (const finish of callbacks) finish()
  return drained
}

/** Makes the stream emit `'drain'` by itself once it is empty. */
export function askForDrain(stream: Writable): void {
  const state = (stream as unknown as Internals)._writableState
  if (state !== undefined) state.needDrain = true
}
