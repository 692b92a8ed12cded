import net from 'node:net'
import { type Answer, answer, type Sources } from './answer.ts'
import { PROTOCOL_VERSION, REQUEST_BYTES } from './protocol.ts'
import { TURN_MS, Turns } from './turns.ts'

/** So many readers are answered at a time; more are told that it is busy. */
const READERS = 8
/** A reader that has sent no request, or has not read, for so long is cut off. Milliseconds. */
const PATIENCE_MS = 5000
/** So much of an answer is handed to the socket at once. */
const CHUNK_CHARACTERS = 16 * 1024

/** Answers readers on a socket of its own; holds neither the process nor its event loop. */
export class Channel {
  readonly server: net.Server
  readonly #turns = new Turns()
  readonly #readers: Set<net.Socket> = new Set()
  #sources: Sources | null = null

  constructor() {
    this.server = net.createServer((reader) => this.#serve(reader))
    this.server.unref()
  }

  /** Begins to answer. Rejects with the error of the system. */
  listen(path: string, sources: Sources): Promise<void> {
    this.#sources = sources
    return new Promise((resolve, reject) => {
      this.server.once('error', reject)
      // exclusive: in a worker of a cluster the primary would listen in its place
      this.server.listen({ path, exclusive: true }, () => {
        this.server.off('error', reject)
        this.server.on('error', () => {}) // an accept that failed; the next may do
        resolve()
      })
    })
  }

  close(): Promise<void> {
    for (const reader of this.#readers) reader.destroy()
    return new Promise((resolve) => this.server.close(() => resolve()))
  }

  #serve(reader: net.Socket): void {
    reader.unref()
    reader.on('error', () => {})
    reader.setTimeout(PATIENCE_MS, () => reader.destroy())
    if (this.#readers.size >= READERS) {
      const busy = { end: true, rows: 0, error: 'busy', v: PROTOCOL_VERSION }
      reader.end(`${JSON.stringify(busy)}\n`)
      reader.resume()
      return
    }
    this.#readers.add(reader)
    reader.once('close', () => this.#readers.delete(reader))
    this.#read(reader)
  }

  /** Reads one line, and nothing of what comes after it. */
  #read(reader: net.Socket): void {
    let line = ''
    let answered = false
    reader.setEncoding('utf8')
    reader.on('data', (text: string) => {
      if (answered) return
      line += text
      const end = line.indexOf('\n')
      if (end < 0 && line.length <= REQUEST_BYTES) return
      answered = true
      const request = end < 0 || end > REQUEST_BYTES ? '' : line.slice(0, end)
      this.#write(reader, answer(request, this.#sources as Sources))
    })
  }

  /** Writes an answer in turns, each as long as TURN_MS, and waits for a reader that is slower. */
  #write(reader: net.Socket, lines: Answer): void {
    const work = () => {
      if (reader.destroyed) return false
      const untilMs = performance.now() + TURN_MS
      let chunk = ''
      while (chunk.length < CHUNK_CHARACTERS && performance.now() < untilMs) {
        const { done, value } = nextOf(lines)
        if (done === true) {
          reader.end(chunk)
          return false
        }
        chunk += `${JSON.stringify(value)}\n`
      }
      if (reader.write(chunk)) return true
      reader.once('drain', () => this.#turns.add(work))
      return false
    }
    this.#turns.add(work)
  }
}

/** A socket whose properties throw ends the answer, and not the server: the reader finds it cut off. */
function nextOf(lines: Answer): IteratorResult<object, unknown> {
  try {
    return lines.next()
  } catch {
    return { done: true, value: undefined }
  }
}
