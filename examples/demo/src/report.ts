import { adviceFor, type Snapshot } from '@sendfail/core'
import type { MemoryTrail } from './memory.ts'
import { BEHAVIOURS, FEED, KIB, MIB, OPTIONS, WORDS } from './plan.ts'
import { type Books, METERS } from './sums.ts'
import { count, mib, type Paint, table } from './table.ts'

/** What the reader is about to see, before it happens. */
export function introduction(paint: Paint): string[] {
  const { maxSendBufferSize, slowAfterMs, stallAfterMs } = OPTIONS
  return [
    paint('bold', 'sendfail: why sends to clients fail'),
    '',
    'One process with a TCP server and a WebSocket server (ws) sends to 12 clients in 6 other processes:',
    `one of each kind over either, each sent messages of ${FEED.messageBytes / KIB} KiB.`,
    '',
    ...BEHAVIOURS.map((behaviour) => `  ${behaviour.padEnd(7)}  ${WORDS[behaviour]}`),
    '',
    `The servers are wrapped with a limit of ${maxSendBufferSize / MIB} MiB for each client. A client for which messages wait is`,
    `called a burst at first, slow after ${slowAfterMs / 1000} s, and stalled once no byte has left for ${stallAfterMs / 1000} s. These are short`,
    'times, for the demo; the defaults are 5 s and 30 s, and a limit of 1 MiB.',
    '',
    'What happens, each for the first time:',
  ]
}

/** Every way sends failed, by transport, with the advice. */
export function failures(snapshot: Snapshot, paint: Paint): string[] {
  const kinds = Object.entries(METERS).flatMap(([over, meter]) =>
    snapshot.series
      .filter((series) => series.meter === meter)
      .flatMap((series) => series.failures.map((failure) => ({ over, ...failure }))),
  )
  const rows = kinds.map(({ bytes, count: messages, over, reason, receiver, stage }) => {
    return [over, reason, stage, receiver ?? '-', count(messages), mib(bytes)]
  })
  const [head, ...lines] = table(['over', 'reason', 'stage', 'receiver', '>messages', '>MiB'], rows, paint)
  return [
    paint('bold', 'Why sends failed, and what to do about it'),
    '  refused: never accepted. lost: accepted, but the connection ended before the whole message had left.',
    String(head),
    ...lines.flatMap((line, at) => {
      const { reason, receiver } = kinds[at] as (typeof kinds)[number]
      return [line, `       ${paint('yellow', adviceFor(reason, receiver))}`]
    }),
    '',
  ]
}

/** What two processes held for the same clients. */
export function memory(limited: MemoryTrail, bare: MemoryTrail, paint: Paint): string[] {
  const row = (what: string, bytes: (trail: MemoryTrail) => number): string[] => {
    return [what, `${mib(bytes(limited))} MiB`, `${mib(bytes(bare))} MiB`]
  }
  const rows = [
    row('waiting for clients, at the end', ({ latest }) => latest.heldBytes),
    row('waiting for clients, at most', ({ mostHeldBytes }) => mostHeldBytes),
    row('the whole process (RSS), at the end', ({ latest }) => latest.rssBytes),
    row('its growth since the first message', ({ latest, start }) => latest.rssBytes - start.rssBytes),
  ]
  return [
    paint('bold', 'Memory of the server process'),
    ...table(['', '>with sendfail', '>without'], rows, paint),
    '  Both measured. Without: a second process with the same servers, sending the same to 12 clients of its',
    '  own, but bare: it grows for as long as it sends. A process also holds garbage not yet collected.',
    `  At most: an empty buffer takes one message of any size, so the files of ${FEED.fileBytes / MIB} MiB are in it.`,
    '',
  ]
}

/** Do the figures add up, and was everything seen? */
export function result({ snapshot }: Books, complaints: readonly string[], paint: Paint): string[] {
  const sum = (attempted: number, sent: number, failed: number, pending: number): string =>
    `attempted ${count(attempted)} = sent ${count(sent)} + failed ${count(failed)} + pending ${count(pending)}`
  const { attempted, attemptedBytes, failed, failedBytes, pending, pendingBytes, sent, sentBytes } = snapshot
  const sums = [
    `  messages: ${sum(attempted, sent, failed, pending)}`,
    `  bytes:    ${sum(attemptedBytes, sentBytes, failedBytes, pendingBytes)}`,
  ]
  if (complaints.length > 0) {
    return [paint('red', 'Something is wrong'), ...sums, ...complaints.map((complaint) => `  ${complaint}`)]
  }
  return [
    paint('green', 'The figures add up'),
    ...sums,
    '  So they do for each client and each server. The sending program, which keeps its own count, and',
    '  OpenTelemetry have the same figures.',
  ]
}
