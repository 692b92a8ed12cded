import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { snapshot, socketStatus } from '@sendfail/core'
import type { Metrics } from './metrics.ts'
import { nameOf } from './plan.ts'
import type { Produced, Production } from './production.ts'
import type { Account, Books } from './sums.ts'
import { type Cell, type Colour, count, mib, type Paint, table } from './table.ts'

const COLOURS: Readonly<Record<string, Colour>> = {
  ok: 'green',
  burst: 'yellow',
  slow: 'yellow',
  stalled: 'red',
  closed: 'dim',
}

/** Reads all counters at one moment. */
export function readBooks(production: Production): Books {
  return { snapshot: snapshot(), accounts: production.all.map(accountOf), exported: null }
}

/**
 * The same with what OpenTelemetry exports. An export takes a moment in which a slow client may read on: it counts if
 * nothing moved meanwhile, otherwise again. The production has to be stopped.
 */
export async function closeBooks(production: Production, metrics: Metrics): Promise<Books> {
  for (let more = 100; ; more--) {
    const before = readBooks(production)
    const exported = await metrics.export()
    const after = readBooks(production)
    if (more === 0 || isDeepStrictEqual(before, after)) return { ...after, exported }
    await sleep(20)
  }
}

function accountOf(produced: Produced): Account {
  const { bytes, client, messages } = produced
  const { behaviour, over, socket } = client
  return { behaviour, over, produced: { messages, bytes }, status: socketStatus(socket) }
}

/** One line for each client. */
export function accountTable(production: Production, books: Books, paint: Paint): string[] {
  const elapsed = production.elapsedMs() / 1000
  const rows = books.accounts.map((account, at): Cell[] => {
    const { attempted, failed, pending, pendingBytes, receiver, sent, sentBytes } = account.status
    const { client, bytes } = production.all[at] as Produced
    const state = client.goneAtMs === null ? receiver : 'closed'
    const rate = (amount: number): string => (client.goneAtMs === null ? mib(amount / elapsed) : '-')
    return [
      nameOf(account),
      [state, COLOURS[state] ?? 'dim'],
      count(attempted),
      count(sent),
      failed === 0 ? '0' : [count(failed), 'red'],
      count(pending),
      mib(pendingBytes),
      rate(bytes),
      rate(sentBytes),
    ]
  })
  const head = ['client', 'now', '>attempted', '>sent', '>failed', '>pending', '>held', '>made/s', '>taken/s']
  return [
    ...table(head, rows, paint),
    paint('dim', '  Messages. held: MiB waiting here. made, taken: MiB/s on average.'),
  ]
}
