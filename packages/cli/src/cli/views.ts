import { z } from 'zod'
import { closedRow, connectionRow, story as storySchema } from './answers.ts'
import { closedView, liveView, type Selection, selectClosed, selectLive } from './connections-view.ts'
import type { ClosedDocument, ConnectionDocument, ConnectionsDocument, StatusDocument } from './documents.ts'
import { type Condition, metOf } from './fail-on.ts'
import { gather, type Thread } from './gather.ts'
import { type Before, listedClosedOf, listedOf, readKey, remember } from './listed.ts'
import { changeOf, type Look, lookAt, readLook, writeLook } from './look.ts'
import { addUp, type Process, processesOf } from './processes.ts'
import type { Screen } from './screen.ts'
import { statusView } from './status-view.ts'
import { storyView } from './story-view.ts'
import { whyOf } from './why.ts'

/** What a view shows: to a person, and to a program. */
export interface Shown<D extends object = object> {
  readonly lines: string[]
  readonly document: D
  /** How many processes publish. */
  readonly processes: number
}

/** The views, with what each needs to know of the last time it was shown. */
export class Views {
  readonly #directory: string
  #look: Look | null | undefined
  #before: Before = new Map()

  constructor(directory: string) {
    this.#directory = directory
  }

  /** @param keep whether the next start of the command compares with this look */
  async status(
    screen: Screen,
    conditions: readonly Condition[],
    keep: boolean,
  ): Promise<Shown<StatusDocument>> {
    const processes = processesOf(await gather(this.#directory, { get: 'status' }, z.never()))
    const nowMs = Date.now()
    const last = this.#look === undefined ? readLook(this.#directory, nowMs) : this.#look
    const next = lookAt(
      processes.filter(({ startedAtMs }) => startedAtMs !== null),
      nowMs,
    )
    this.#look = next
    if (keep && processes.length > 0) writeLook(this.#directory, next)
    const perSecond = (process: Process) => {
      const change = changeOf(process, last, nowMs)
      return (change.failed() * 1000) / change.overMs
    }
    return {
      lines:
        processes.length === 0 ? nothing(this.#directory) : statusView({ processes, last, nowMs }, screen),
      processes: processes.length,
      document: {
        schema: 'sendfail.status/1',
        atMs: nowMs,
        lastLookAtMs: last?.atMs ?? null,
        processes: processes.map((process) => ({
          ...process,
          listening: [...process.listening],
          failures: [...process.failures],
          perSecond: perSecond(process),
        })),
        total: copyOf(addUp(processes)),
        why: whyOf(processes, last, nowMs),
        met: metOf(conditions, processes),
      },
    }
  }

  async connections(screen: Screen, selection: Selection): Promise<Shown<ConnectionsDocument>> {
    const threads = await gather(this.#directory, { get: 'connections' }, connectionRow)
    const rows = listedOf(threads, this.#before)
    this.#before = remember(threads)
    const selected = selectLive(rows, selection)
    const silent = silentOf(threads)
    return {
      lines:
        threads.length === 0
          ? nothing(this.#directory)
          : [...liveView(selected, rows.length, screen), ...silentLines(silent)],
      processes: threads.length,
      document: {
        schema: 'sendfail.connections/1',
        atMs: Date.now(),
        all: rows.length,
        matching: selected.matching,
        silent,
        connections: [...selected.shown],
      },
    }
  }

  async closed(screen: Screen, selection: Selection): Promise<Shown<ClosedDocument>> {
    const threads = await gather(this.#directory, { get: 'closed' }, closedRow)
    const rows = listedClosedOf(threads)
    const selected = selectClosed(rows, selection)
    const silent = silentOf(threads)
    return {
      lines:
        threads.length === 0
          ? nothing(this.#directory)
          : [...closedView(selected, rows.length, screen), ...silentLines(silent)],
      processes: threads.length,
      document: {
        schema: 'sendfail.closed/1',
        atMs: Date.now(),
        all: rows.length,
        matching: selected.matching,
        silent,
        connections: [...selected.shown],
      },
    }
  }

  /** A text says why there is no such connection to show. */
  async inspect(screen: Screen, key: string): Promise<Shown<ConnectionDocument> | string> {
    const wanted = readKey(key)
    if (wanted === null)
      return `${key} is no id; ids look like 4711.12, as \`sendfail connections\` shows them`
    const { id, pid, threadId } = wanted
    const isIt = (ofPid: number, ofThread: number) => ofPid === pid && ofThread === threadId
    const [thread] = await gather(this.#directory, { get: 'connection', id }, storySchema, isIt)
    if (thread === undefined) return `no process ${pid} publishes`
    const [story] = thread.rows
    if (thread.state !== 'ok' || thread.publisher === null)
      return `process ${pid} does not answer: ${thread.state}`
    if (story === undefined)
      return `process ${pid} knows no connection ${key}; of those that closed it keeps the last 1000`
    const atMs = thread.head?.atMs ?? Date.now()
    const { publisher } = thread
    return {
      lines: storyView(key, publisher, story, atMs, screen),
      processes: 1,
      document: { schema: 'sendfail.connection/1', atMs, key, publisher, story },
    }
  }
}

function copyOf(total: ReturnType<typeof addUp>): StatusDocument['total'] {
  return { ...total, listening: [...total.listening], failures: [...total.failures] }
}

function nothing(directory: string): string[] {
  return [
    `No process of this user publishes its status in ${directory}.`,
    'A server does with: import { publishStatus } from "sendfail"; publishStatus({ name: "my server" })',
  ]
}

function silentOf(threads: readonly Thread[]): ConnectionsDocument['silent'] {
  return threads.filter(({ state }) => state !== 'ok').map(({ name, pid, state }) => ({ pid, name, state }))
}

function silentLines(silent: ConnectionsDocument['silent']): string[] {
  return silent.map(({ name, pid, state }) => `Process ${pid} (${name}) is not listed: ${state}.`)
}
