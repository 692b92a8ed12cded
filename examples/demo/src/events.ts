import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { FailMessage } from '@sendfail/core'
import { kindOf } from './outcomes.ts'
import { nameOf } from './plan.ts'
import type { Production } from './production.ts'
import { mib, seconds } from './table.ts'

/**
 * Tells in one line of each client and each way to fail, the first time: what a log would show.
 *
 * @returns what ends it
 */
export function watchFailures(production: Production, tell: (line: string) => void): () => void {
  const told = new Set<string>()
  function onFail(message: unknown): void {
    const { failure, socket } = message as FailMessage
    const client = production.all.find((produced) => produced.client.socket === socket)?.client
    if (client === undefined) return
    const name = nameOf(client)
    const kind = kindOf(failure)
    if (told.has(`${name} ${kind}`)) return
    told.add(`${name} ${kind}`)
    const where = failure.reason === 'buffer_full' ? `, ${mib(failure.pendingBytes)} MiB waiting` : ''
    tell(
      `  ${seconds(production.elapsedMs()).padStart(6)}  ${name.padEnd(11)}  ${kindInWords(failure)}${where}`,
    )
  }
  subscribe('sendfail:fail', onFail)
  return () => void unsubscribe('sendfail:fail', onFail)
}

function kindInWords({ reason, receiver, stage }: FailMessage['failure']): string {
  return `${stage}: ${reason}${receiver === null ? '' : `, receiver ${receiver}`}`
}
