import type { Closer, Reason, Stage } from './reason.ts'

/** An error, and the fields that say where it came from; each may be missing. */
export interface ErrorFacts extends Error {
  readonly code?: unknown
  readonly errno?: unknown
  readonly syscall?: unknown
}

/** Codes by which the kernel reports that the peer is gone. https://nodejs.org/api/errors.html#common-system-errors */
const PEER_GONE: ReadonlySet<unknown> = new Set(['ECONNRESET', 'EPIPE'])

/** Codes by which the kernel reports that the path to the peer is gone. */
const PATH_GONE: ReadonlySet<unknown> = new Set(['ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'ENETDOWN'])

/**
 * Who ended the connection, decided at the moment it is destroyed and only if nobody was recorded earlier.
 *
 * `established` says whether the kernel still calls the connection established. A reset or timed-out connection is
 * not; so an `ECONNRESET` on an established one belongs to another socket (`stream.pipeline` destroys both ends with
 * the error of one), and it was this process that closed this one.
 */
export function closerOf(error: ErrorFacts | null, peerClosed: boolean, established: boolean): Closer {
  if (peerClosed) return 'client'
  if (error === null) return 'server'
  if (PEER_GONE.has(error.code)) return established ? 'server' : 'client'
  if (PATH_GONE.has(error.code)) return established ? 'server' : 'timeout'
  return isFromTransport(error) ? 'error' : 'server'
}

/** An error of the system or of TLS; any other error was handed to `destroy()` by code of this process. */
function isFromTransport(error: ErrorFacts): boolean {
  if (typeof error.errno === 'number' || typeof error.syscall === 'string') return true
  return typeof error.code === 'string' && /^(ERR_SSL_|ERR_TLS_|EPROTO$)/.test(error.code)
}

const REASON_OF: Readonly<Record<Closer, Reason>> = {
  client: 'client_closed',
  server: 'server_closed',
  limit: 'buffer_full',
  timeout: 'timed_out',
  error: '_OTHER',
}

/**
 * The reason of a send that failed because the connection was ended by `closer`. What was pending when the limit closed
 * the connection is lost because the buffer was full; a send after that finds a socket this process closed, and a
 * closed socket is never reported as full.
 */
export function reasonAfter(closer: Closer, stage: Stage): Reason {
  return closer === 'limit' && stage === 'refused' ? 'server_closed' : REASON_OF[closer]
}
