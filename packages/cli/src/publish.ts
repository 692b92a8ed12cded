import cluster from 'node:cluster'
import { basename } from 'node:path'
import { threadId } from 'node:worker_threads'
import { registry, show, wrongType } from '@sendfail/core'
import { PROTOCOL_VERSION, type Publisher } from './protocol.ts'
import { Publication, type StatusHandle } from './publication.ts'
import { VERSION } from './version.ts'

/** What {@link publishStatus} can be told. */
export interface PublishOptions {
  /** What the process is called in the tables; default: the name of the program. At most 100 characters. */
  readonly name?: string | undefined
  /** What it listens on, for servers that are not seen: those of uWebSockets.js. For example `['0.0.0.0:9001']`. */
  readonly listening?: readonly string[] | undefined
}

const KEY = Symbol.for('sendfail.publication.v1')
const NAME_CHARACTERS = 100

/**
 * Lets `sendfail status` and `sendfail connections` of the same user on this machine see this process. Call it once, at the
 * start, in each thread and each worker of a cluster that has connections: of those that were wrapped before, only the
 * counts are known. Opens no port and takes no commands. Never fails the server: where nothing can be published, a process
 * warning says why, and `ready` resolves to `false`.
 *
 * A second call returns the same handle and changes nothing.
 *
 * @throws {TypeError} `ERR_SEND_FAIL_OPTION`
 */
export function publishStatus(options: PublishOptions = {}): StatusHandle {
  const { listening = [], name = programName() } = checked(options)
  const holder = globalThis as { [KEY]?: Publication | undefined }
  const known = holder[KEY]
  if (known !== undefined) return known
  const made = new Publication(registry, publisherOf(name), listening, () => {
    delete holder[KEY]
  })
  Object.defineProperty(holder, KEY, { configurable: true, value: made })
  return made
}

function publisherOf(name: string): Publisher {
  const { isPrimary, isWorker, worker } = cluster
  const leads = isPrimary && Object.keys(cluster.workers ?? {}).length > 0
  const role = isWorker ? 'worker' : leads ? 'primary' : null
  return {
    v: PROTOCOL_VERSION,
    pid: process.pid,
    threadId,
    name,
    startedAtMs: Math.round(Date.now() - process.uptime() * 1000),
    publishedAtMs: Date.now(),
    node: process.version,
    sendfail: VERSION,
    cluster:
      role === null
        ? null
        : { role, primaryPid: isWorker ? process.ppid : process.pid, worker: worker?.id ?? 0 },
  }
}

function programName(): string {
  return basename(process.argv[1] ?? 'node').slice(0, NAME_CHARACTERS)
}

function checked(options: unknown): PublishOptions {
  const wrong = (name: string, expected: string, value: unknown) =>
    wrongType('ERR_SEND_FAIL_OPTION', name, expected, value)
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw wrong('options', 'an object like { name }', options)
  for (const [name, value] of Object.entries(options)) {
    if (name === 'name' || name === 'listening') continue
    throw wrong(name, 'absent (the options are listening, name)', value)
  }
  const { listening, name } = options as { listening?: unknown; name?: unknown }
  const isText = (value: unknown) =>
    typeof value === 'string' && value !== '' && value.length <= NAME_CHARACTERS
  const text = `a string of 1 to ${NAME_CHARACTERS} characters`
  if (name !== undefined && !isText(name)) throw wrong('name', text, name)
  if (listening !== undefined && !(Array.isArray(listening) && listening.every(isText)))
    throw wrong(
      'listening',
      `an array, each of it ${text}`,
      Array.isArray(listening) ? listening.map(show) : listening,
    )
  return options
}
