import { lstatSync, mkdirSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'

/** Names another directory for the status sockets, for a server and a command that see different file systems. */
export const DIRECTORY_VARIABLE = 'SENDFAIL_STATUS_DIR'

/** The directory cannot be used; the message says why and what to do. */
export class DirectoryError extends Error {
  readonly code = 'ERR_SEND_FAIL_STATUS'
}

/**
 * The longest path of the directory. With the name of a socket it has to fit `sockaddr_un`, which has 104 bytes on macOS;
 * a longer one is cut off in silence.
 */
const PATH_BYTES = 80

/**
 * Where a user's processes publish. Not below `XDG_RUNTIME_DIR` or `TMPDIR`: a service has other ones than the shell in
 * which the command is typed.
 */
export function statusDirectory(): string {
  const given = process.env[DIRECTORY_VARIABLE]
  if (given !== undefined && given !== '') return given
  return join(process.platform === 'win32' ? tmpdir() : '/tmp', `sendfail-${userKey()}`)
}

/** The user, as a part of a file name. */
function userKey(): string {
  return typeof process.getuid === 'function'
    ? String(process.getuid())
    : encodeURIComponent(userInfo().username)
}

/**
 * Makes sure that only this user can enter the directory. It is made without following a link, and one that is there is
 * taken only as it would have been made.
 *
 * @throws {DirectoryError}
 */
export function makeDirectory(path: string): void {
  if (process.platform !== 'win32' && Buffer.byteLength(path) > PATH_BYTES)
    throw new DirectoryError(`${path} is too long for the path of a socket: at most ${PATH_BYTES} bytes`)
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code !== 'EEXIST') throw new DirectoryError(`${path} cannot be made: ${message}`)
  }
  if (!checkDirectory(path)) throw new DirectoryError(`${path} was removed while it was made`)
}

/**
 * Is it there? Throws if it is, and is not what {@link makeDirectory} makes.
 *
 * @throws {DirectoryError}
 */
export function checkDirectory(path: string): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false })
  if (found === undefined) return false
  const refuse = (what: string) => new DirectoryError(`${path} ${what}, so it is not used for status sockets`)
  if (!found.isDirectory()) throw refuse('is no directory')
  if (typeof process.getuid !== 'function') return true
  if (found.uid !== process.getuid()) throw refuse(`belongs to user ${found.uid}, not to ${process.getuid()}`)
  if ((found.mode & 0o077) !== 0) throw refuse('can be entered by others (chmod 700 would mend that)')
  return true
}

/** The name of what one thread of one process publishes, without an ending. */
export function publisherName(pid: number, threadId: number): string {
  return `${pid}-${threadId}`
}

/** The file with the facts about a publisher, of type `Publisher`. */
export function factsPath(directory: string, name: string): string {
  return join(directory, `${name}.json`)
}

/** What to listen on and connect to. */
export function socketPath(directory: string, name: string): string {
  if (process.platform === 'win32') return `\\\\.\\pipe\\sendfail-${userKey()}-${name}`
  return join(directory, `${name}.sock`)
}
