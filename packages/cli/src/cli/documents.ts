import { z } from 'zod'
import { closedRow, connectionRow, publisher, story } from './answers.ts'

/** What `--json` prints, one schema a view. Within a version fields are added, never changed or taken away. */

const count = z.number()
const failure = z.object({
  reason: z.string(),
  stage: z.string(),
  receiver: z.string().nullable(),
  count,
  bytes: count,
})
const why = failure.extend({
  share: count,
  perSecond: count,
  more: count.nullable(),
  trend: z.enum(['falling', 'rising', 'steady']).nullable(),
  advice: z.string(),
})
const states = z.object({ ok: count, burst: count, slow: count, stalled: count })
const sums = {
  attempted: count,
  sent: count,
  failed: count,
  pending: count,
  pendingBytes: count,
  limitBytes: count,
  fullCount: count,
  overLimit: count,
  connections: states,
  listening: z.array(z.string()),
  failures: z.array(failure),
  slow: z
    .object({ connections: count, productionBytesPerSecond: count, drainBytesPerSecond: count, atMs: count })
    .nullable(),
  stalled: z.object({ connections: count, longestMs: count }),
}
const process = z.object({
  pid: count,
  name: z.string(),
  state: z.enum(['busy', 'died', 'ok', 'stopped', 'unreadable', 'version']),
  v: count,
  threads: count,
  primaryPid: count.nullable(),
  startedAtMs: count.nullable(),
  uptimeMs: count.nullable(),
  rssBytes: count.nullable(),
  ...sums,
  perSecond: count,
})

export const statusDocument = z.object({
  schema: z.literal('sendfail.status/1'),
  atMs: count,
  lastLookAtMs: count.nullable(),
  processes: z.array(process),
  total: z.object(sums),
  why: z.array(why),
  met: z.array(z.object({ name: z.string(), atLeast: count, is: count })),
})

const listed = { pid: count, name: z.string(), key: z.string(), ageMs: count }
const silent = z.array(z.object({ pid: count, name: z.string(), state: z.string() }))

export const connectionsDocument = z.object({
  schema: z.literal('sendfail.connections/1'),
  atMs: count,
  all: count,
  matching: count,
  silent,
  connections: z.array(
    connectionRow.extend({
      ...listed,
      outBytesPerSecond: count,
      inBytesPerSecond: count.nullable(),
      overMs: count,
    }),
  ),
})

export const closedDocument = z.object({
  schema: z.literal('sendfail.closed/1'),
  atMs: count,
  all: count,
  matching: count,
  silent,
  connections: z.array(closedRow.extend(listed)),
})

export const connectionDocument = z.object({
  schema: z.literal('sendfail.connection/1'),
  atMs: count,
  key: z.string(),
  publisher,
  story,
})

export type StatusDocument = z.infer<typeof statusDocument>
export type ConnectionsDocument = z.infer<typeof connectionsDocument>
export type ClosedDocument = z.infer<typeof closedDocument>
export type ConnectionDocument = z.infer<typeof connectionDocument>
