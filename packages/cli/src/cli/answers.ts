import { z } from 'zod'

/** What a publishing process may answer; see `protocol.ts`. Unknown fields are ignored, missing ones make it unreadable. */

const count = z.number().min(0)
const state = z.enum(['ok', 'burst', 'slow', 'stalled'])

const failure = z.object({
  reason: z.string(),
  stage: z.string(),
  receiver: z.string().nullable(),
  count,
  bytes: count,
})

const outcomes = {
  attempted: count,
  sent: count,
  failed: count,
  pending: count,
  attemptedBytes: count,
  sentBytes: count,
  failedBytes: count,
  pendingBytes: count,
  fullCount: count,
  overLimit: count,
  limitBytes: count,
  connections: z.record(state, count),
  failures: z.array(failure),
}

/** Enough to name a process whose version is another one. */
export const stranger = z.object({ v: z.number(), pid: z.int().min(1), name: z.string().default('?') })

export const publisher = z.object({
  v: z.number(),
  pid: z.int().min(1),
  threadId: z.int().min(0),
  name: z.string(),
  startedAtMs: z.number(),
  publishedAtMs: z.number(),
  node: z.string(),
  sendfail: z.string(),
  cluster: z.object({ role: z.enum(['primary', 'worker']), primaryPid: z.int(), worker: z.int() }).nullable(),
})

const series = z.object({
  meter: z.string(),
  transport: z.string(),
  protocol: z.string().nullable(),
  ...outcomes,
})

const rates = { productionBytesPerSecond: count, drainBytesPerSecond: count }

const threadStatus = z.object({
  uptimeMs: count,
  rssBytes: count,
  listening: z.array(z.string()),
  ...outcomes,
  series: z.array(series),
  slow: z.object({ connections: count, ...rates, atMs: z.number() }).nullable(),
  stalled: z.object({ connections: count, longestMs: count }),
})

export const head = z.object({
  v: z.number(),
  kind: z.string(),
  publisher,
  atMs: z.number(),
  status: threadStatus.optional(),
})

export const end = z.object({ end: z.literal(true), rows: count, error: z.string().optional() })

const facts = {
  id: z.int().min(1),
  meter: z.string(),
  transport: z.string(),
  protocol: z.string().nullable(),
  openedAtMs: z.number(),
  local: z.string().nullable(),
  foreign: z.string().nullable(),
  sent: count,
  sentBytes: count,
  failed: count,
  failedBytes: count,
  receivedBytes: count.nullable(),
  limitBytes: count.nullable(),
  fullCount: count,
  failures: z.array(failure),
}

export const connectionRow = z.object({
  ...facts,
  state: z.enum(['ok', 'burst', 'slow', 'stalled', 'full']),
  receiver: state,
  pending: count,
  pendingBytes: count,
  backlog: z.object({ ageMs: z.number(), idleMs: z.number(), ...rates }).nullable(),
})

export const closedRow = z.object({
  ...facts,
  closedAtMs: z.number(),
  closedBy: z.enum(['client', 'server', 'limit', 'timeout', 'error']),
  cause: z.string().nullable(),
  lost: count,
  lostBytes: count,
})

export const story = z.object({
  live: connectionRow.optional(),
  closed: closedRow.optional(),
  onFull: z.string(),
  admission: z.string(),
  closeAfterFullMs: z.number().nullable(),
  closeAfterStallMs: z.number().nullable(),
  slowAfterMs: z.number(),
  stallAfterMs: z.number(),
  moments: z.array(z.object({ atMs: z.number(), event: z.string(), pendingBytes: count })),
  forgotten: count,
})

export type Failure = z.infer<typeof failure>
export type Publisher = z.infer<typeof publisher>
export type ThreadStatus = z.infer<typeof threadStatus>
export type Head = z.infer<typeof head>
export type ConnectionRow = z.infer<typeof connectionRow>
export type ClosedRow = z.infer<typeof closedRow>
export type Story = z.infer<typeof story>
