import type { SendCallback, WrapOptions } from '@sendfail/core'
import type { Peer, Side } from '../fixtures/link.ts'

/** What a sentence may ask of a transport that not every transport has. */
export type Feature =
  /** It goes on telling what leaves after it was closed in good order by either side. */
  | 'afterEnd'
  /** The operating system can take a message within the call. */
  | 'atOnce'
  /** A send takes a callback. */
  | 'callback'
  /** The socket itself tells that its buffer is empty again. */
  | 'drainEvent'
  /** At the end of a connection it can be told exactly which messages had left. */
  | 'exactEnd'
  /** The protocol has frames of its own beside the messages. */
  | 'frames'
  /** Bytes are seen leaving while a message drains. */
  | 'progress'
  /** Closing takes a last message. */
  | 'lastMessage'

/** One transport, seen from one side: all that the suite has to know to run the sentences against it. */
export interface Subject {
  readonly kind: string
  readonly side: Side
  /** The features it lacks, each with the reason that is printed in place of what cannot be run. */
  readonly lacks: Readonly<Partial<Record<Feature, string>>>
  /** What a send returns when it is refused. */
  readonly refused: unknown
  /** Does a send on a closed connection throw, on the bare socket too? */
  readonly throwsWhenClosed: boolean
  /** Does the peer get whole messages, or a stream of bytes? */
  readonly framed: boolean
  /** Can the peer read the end of a message only when a whole record of TLS has arrived? */
  readonly sealed?: boolean
  /** The methods of the socket that a guard stands in for, the one that sends first. */
  readonly doors: readonly string[]
  readonly ends: readonly End[]
  readonly wrongCalls: readonly WrongCall[]
  /** Opens a real connection with a bare socket. */
  open(): Promise<Connection>
  /** Guards it, or changes the options of its guard. */
  guard(connection: Connection, options: WrapOptions): void
  unguard(connection: Connection): void
  /** What shows that the connection is of the kind it claims to be, and what it has to be. */
  proof(connection: Connection): { readonly found: unknown; readonly wanted: unknown }
}

/** One open connection of a subject. */
export interface Connection {
  readonly socket: object
  /** The objects a guard puts something on: the socket, and the one under it. */
  readonly touched: readonly object[]
  readonly peer: Peer
  /** `'error'` events of any of `touched`. */
  readonly errors: readonly unknown[]
  /** Resolves when our end is closed. */
  readonly closed: Promise<void>
  /** How often the socket itself told that its buffer is empty. */
  drains(): number
  /** Sends, and returns what the caller is told at once. */
  send(data: Buffer | string, callback?: SendCallback): unknown
  /** Closes with a last message. */
  readonly sendLast?: (data: Buffer, callback: SendCallback) => void
  /** Sends one frame of the protocol each. */
  readonly frames?: { ping(data: string): void; pong(data: string): void; close(): void }
  /** The transport's own count of what it holds, in its own unit; 0 when the operating system has everything. */
  held(): number
  /** Has the operating system refused some of what was handed to it? */
  jammed(): boolean
  /** The transport's own word on whether it takes messages. */
  isOpen(): boolean
  dispose(): Promise<void>
}

/** A way for a connection to end. */
export interface End {
  readonly name: string
  /** `client` is the peer and `server` this process, as in `closedBy`. */
  readonly by: 'client' | 'server'
  /** Does it end the connection although messages are pending and the peer does not read? */
  readonly abrupt: boolean
  /** Does it make a bare socket emit `'error'`? */
  readonly loud: boolean
  act(connection: Connection): void
}

/** A call that throws on a bare socket. */
export interface WrongCall {
  readonly name: string
  call(connection: Connection): unknown
}

/** What `subject` lacks of `feature`, said in the test output; `true` if it has it. */
export function has(t: { comment(text: string): void }, subject: Subject, feature: Feature): boolean {
  const reason = subject.lacks[feature]
  if (reason !== undefined) t.comment(`not run on ${subject.kind}: ${reason}`)
  return reason === undefined
}
