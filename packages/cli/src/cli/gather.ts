import { lstatSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import type { z } from 'zod'
import { checkDirectory, factsPath, socketPath } from '../directory.ts'
import { PROTOCOL_VERSION, type Request } from '../protocol.ts'
import { type Head, type Publisher, publisher as publisherSchema, stranger } from './answers.ts'
import { type Exchange, exchange } from './exchange.ts'
import { parsePlain } from './plain.ts'

/** What became of asking one thread. */
export type ThreadState = 'busy' | 'died' | 'ok' | 'stopped' | 'unreadable' | 'version'

/** One thread that publishes, and what it answered. */
export interface Thread<R = unknown> {
  readonly state: ThreadState
  readonly pid: number
  readonly name: string
  /** `null` with another version of the protocol. */
  readonly publisher: Publisher | null
  readonly head: Head | null
  readonly rows: R[]
  readonly error: string | null
  /** The version it speaks. */
  readonly v: number
}

/** More is no file of ours. */
const FACTS_BYTES = 64 * 1024

/** So many are asked at a time. */
const AT_A_TIME = 64

/**
 * Asks every publishing thread of this user, or those of one process.
 *
 * @throws {DirectoryError} if the directory is not safe
 */
export async function gather<R>(
  directory: string,
  request: Omit<Request, 'v'>,
  row: z.ZodType<R>,
  only: (pid: number, threadId: number) => boolean = () => true,
): Promise<Thread<R>[]> {
  if (!checkDirectory(directory)) return []
  const names = readdirSync(directory)
    .filter((file) => /^\d+-\d+(-\d+)?\.json$/.test(file))
    .map((file) => file.slice(0, -'.json'.length))
    .filter((name) => only(...(name.split('-').map(Number) as [number, number])))
  const threads: Thread<R>[] = []
  const next = async () => {
    for (let name = names.shift(); name !== undefined; name = names.shift()) {
      const thread = await ask(directory, name, request, row)
      if (thread !== null) threads.push(thread)
    }
  }
  await Promise.all(Array.from({ length: AT_A_TIME }, next))
  return threads.sort((a, b) => a.pid - b.pid || (a.publisher?.threadId ?? 0) - (b.publisher?.threadId ?? 0))
}

/** `null` for one that is not there any more. */
async function ask<R>(
  directory: string,
  name: string,
  request: Omit<Request, 'v'>,
  row: z.ZodType<R>,
): Promise<Thread<R> | null> {
  const read = readFacts(factsPath(directory, name))
  if (read === null) return null
  const facts = stranger.safeParse(read)
  const known = publisherSchema.safeParse(read)
  const pid = Number(name.split('-')[0]) // the name of the file is ours, its content need not be
  const called = facts.success ? facts.data.name : '?'
  const nothing = { pid, name: called, publisher: known.data ?? null, head: null, rows: [], error: null }
  if (facts.success && facts.data.v !== PROTOCOL_VERSION)
    return { ...nothing, state: 'version', v: facts.data.v }
  const outcome: Exchange<R> = await exchange(socketPath(directory, name), request, row)
  const v = PROTOCOL_VERSION
  switch (outcome.is) {
    case 'ok':
      return { ...nothing, ...outcome, state: 'ok', publisher: outcome.head.publisher, v }
    case 'absent':
      if (!isAlive(pid)) removeFiles(directory, name)
      return null
    case 'version':
      return { ...nothing, state: 'version', v: outcome.v }
    case 'busy':
      return { ...nothing, state: isStopped(pid) ? 'stopped' : 'busy', v }
    default:
      return { ...nothing, state: outcome.is, v }
  }
}

/** `null` if the file has gone, or nothing can be read in it. */
function readFacts(path: string): unknown {
  try {
    const { size } = lstatSync(path)
    return size > FACTS_BYTES ? {} : parsePlain(readFileSync(path, 'utf8'))
  } catch (error) {
    return error instanceof SyntaxError ? {} : null
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Left by a process that was killed. */
function removeFiles(directory: string, name: string): void {
  for (const path of [socketPath(directory, name), factsPath(directory, name)]) rmSync(path, { force: true })
}

/** Does a signal hold the process? Only Linux tells. */
function isStopped(pid: number): boolean {
  try {
    return /^\d+ \(.*\) [Tt] /s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}
