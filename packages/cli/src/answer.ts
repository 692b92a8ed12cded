import type { Registry } from '@sendfail/core'
import type { Connections } from './connections.ts'
import type { Listening } from './listening.ts'
import { CLOSED_KEPT, type End, type Get, type Head, PROTOCOL_VERSION, type Publisher } from './protocol.ts'
import { closedRow, connectionRow, story } from './rows.ts'
import { threadStatus } from './status.ts'

/** An answer: objects, one for each line. Made one by one, as they are asked for. */
export type Answer = Iterator<object, unknown>

/** All an answer is made of. */
export interface Sources {
  readonly registry: Registry
  readonly connections: Connections
  readonly listening: Listening
  readonly publisher: Publisher
}

const GETS: ReadonlySet<unknown> = new Set<Get>(['closed', 'connection', 'connections', 'status'])

/** Answers one line. Nothing a reader sends can change anything here. */
export function* answer(line: string, sources: Sources): Generator<Head | End | object> {
  const request = parse(line)
  const get = GETS.has(request.get) ? (request.get as Get) : null
  const { connections, publisher } = sources
  const head = { v: PROTOCOL_VERSION, kind: get ?? 'status', publisher, atMs: Date.now() } as const
  if (request.v !== PROTOCOL_VERSION || get === null) {
    yield head
    yield { end: true, rows: 0, error: typeof request.v === 'number' && get !== null ? 'version' : 'request' }
    return
  }
  const { listening, registry } = sources
  yield get === 'status' ? { ...head, status: threadStatus(registry, connections, listening.now()) } : head
  const rows = ROWS[get](connections, request.id)
  let count = 0
  for (const row of rows) {
    count++
    yield row
  }
  const missing = get === 'connection' && count === 0
  yield { end: true, rows: count, ...(missing ? { error: 'not_found' as const } : {}) }
}

const ROWS: Readonly<Record<Get, (connections: Connections, id: unknown) => Iterable<object>>> = {
  status: () => [],
  *connections(connections) {
    const { live } = connections
    let left = live.size // those that open meanwhile would make it endless
    for (const one of live.values()) {
      if (left-- <= 0) return
      yield connectionRow(connections, one)
    }
  },
  *closed({ closed }) {
    for (const one of closed.slice(-CLOSED_KEPT)) yield closedRow(one)
  },
  *connection(connections, id) {
    const found = typeof id === 'number' ? story(connections, id) : null
    if (found !== null) yield found
  },
}

function parse(line: string): { v?: unknown; get?: unknown; id?: unknown } {
  try {
    const value: unknown = JSON.parse(line)
    return typeof value === 'object' && value !== null ? value : {}
  } catch {
    return {}
  }
}
