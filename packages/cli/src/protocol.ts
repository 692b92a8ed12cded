import type {
  Closer,
  FailureCount,
  NetworkTransport,
  ProtocolName,
  ReceiverState,
  Snapshot,
} from '@sendfail/core'

/**
 * What a publishing process and the command say to each other, over a Unix domain socket or a named pipe.
 *
 *   command ──▶ one line of JSON: a Request, at most REQUEST_BYTES long
 *   process ──▶ lines of JSON: a Head; for a listing one row each; an End
 *
 * Then the process closes. An answer without its End is not complete: the process died, or gave up on a reader that did
 * not read. Fields may be added within a version; a reader ignores those it does not know.
 */
export const PROTOCOL_VERSION = 1

/** The longest request that is read. */
export const REQUEST_BYTES = 1024

/** So many of the connections that closed last are remembered by a process. */
export const CLOSED_KEPT = 1000

export type Get = 'closed' | 'connection' | 'connections' | 'status'

export interface Request {
  readonly v: number
  readonly get: Get
  /** With `connection`: its number within the process. */
  readonly id?: number
}

/**
 * Who publishes: one thread of one process. Stands in a file of its own beside the socket, so that a process that does not
 * answer still has a name, and at the head of each answer.
 */
export interface Publisher {
  readonly v: number
  readonly pid: number
  /** 0 for the main thread. */
  readonly threadId: number
  readonly name: string
  /** When the process started, in milliseconds since 1970. */
  readonly startedAtMs: number
  /** When it began to publish, likewise: what closed before is not listed. */
  readonly publishedAtMs: number
  /** Of Node, as `process.version` has it. */
  readonly node: string
  /** Of the `sendfail` package in that process. */
  readonly sendfail: string
  /** Its part in a `node:cluster`; `null` for a plain process. */
  readonly cluster: {
    readonly role: 'primary' | 'worker'
    readonly primaryPid: number
    readonly worker: number
  } | null
}

export interface Head {
  readonly v: number
  readonly kind: Get
  readonly publisher: Publisher
  /** When the answer was begun, in milliseconds since 1970. */
  readonly atMs: number
  /** With `status`. */
  readonly status?: ThreadStatus
}

export interface End {
  readonly end: true
  /** How many rows stood before. */
  readonly rows: number
  /** Why there are none, if something was wrong with the request. */
  readonly error?: 'busy' | 'not_found' | 'request' | 'version'
}

/** The books of one thread: its `snapshot()`, and how it is. */
export interface ThreadStatus extends Snapshot {
  readonly uptimeMs: number
  /** Resident memory of the whole process. */
  readonly rssBytes: number
  /** What its servers listen on: `127.0.0.1:8080`, `[::]:8080`, or the path of a socket. */
  readonly listening: readonly string[]
  /** What is slow now; with none, what was slow last, and `null` if nothing ever was while it was published. */
  readonly slow: SlowFacts | null
  readonly stalled: StalledFacts
}

/** The two rates that have to be brought together, in bytes a second, added up over the slow connections. */
export interface SlowFacts {
  /** How many are slow now; 0 when the rates are those of the last one that was. */
  readonly connections: number
  readonly productionBytesPerSecond: number
  readonly drainBytesPerSecond: number
  /** When it was seen, in milliseconds since 1970. */
  readonly atMs: number
}

export interface StalledFacts {
  readonly connections: number
  /** For how long not a byte has left, of the one that waits longest; 0 with none. */
  readonly longestMs: number
}

/** What live and closed connections have in common. */
interface ConnectionFacts {
  /** Within its thread; counts up. */
  readonly id: number
  readonly meter: string
  readonly transport: NetworkTransport
  readonly protocol: ProtocolName
  readonly openedAtMs: number
  readonly local: string | null
  readonly foreign: string | null
  readonly sent: number
  readonly sentBytes: number
  readonly failed: number
  readonly failedBytes: number
  /** What the peer sent, in bytes; `null` where it is not known. */
  readonly receivedBytes: number | null
  /** `null` for none. */
  readonly limitBytes: number | null
  readonly fullCount: number
  readonly failures: readonly FailureCount[]
}

/** A live connection. */
export interface ConnectionRow extends ConnectionFacts {
  /** `full` while its limit is reached, else what its receiver is doing. */
  readonly state: ReceiverState | 'full'
  readonly receiver: ReceiverState
  readonly pending: number
  /** Its Send-Q. */
  readonly pendingBytes: number
  /** `null` unless it has a backlog. */
  readonly backlog: BacklogFacts | null
}

/** A backlog: since when, and what was produced and what left meanwhile. */
interface BacklogFacts {
  readonly ageMs: number
  /** For how long not a byte has been seen leaving. */
  readonly idleMs: number
  readonly productionBytesPerSecond: number
  readonly drainBytesPerSecond: number
}

/** One that has closed. */
export interface ClosedRow extends ConnectionFacts {
  readonly closedAtMs: number
  readonly closedBy: Closer
  /** The code of the error that ended it, if there was one. */
  readonly cause: string | null
  /** What was pending when it ended. */
  readonly lost: number
  readonly lostBytes: number
}

/** One moment in the life of a connection. */
export interface Moment {
  readonly atMs: number
  readonly event: 'closed' | 'drained' | 'full' | 'opened'
  readonly pendingBytes: number
}

/** The one row of a `connection` answer. */
export type Story = (
  | { readonly live: ConnectionRow; readonly closed?: never }
  | { readonly closed: ClosedRow; readonly live?: never }
) & {
  readonly onFull: string
  readonly admission: string
  readonly closeAfterFullMs: number | null
  readonly closeAfterStallMs: number | null
  readonly slowAfterMs: number
  readonly stallAfterMs: number
  /** The newest are kept; `forgotten` says how many older ones are not. */
  readonly moments: readonly Moment[]
  readonly forgotten: number
}
