import net from 'node:net'
import type { z } from 'zod'
import { PROTOCOL_VERSION, type Request } from '../protocol.ts'
import { end, type Head, head } from './answers.ts'
import { parsePlain } from './plain.ts'

/** A process that has not said a whole line for so long is busy. Milliseconds. */
const SILENCE_MS = 1000
/** Nobody is waited for longer, however much there is to say. Milliseconds. */
const PATIENCE_MS = 10_000
/** Bounds of an answer, in characters: of one line and of all. */
const LINE_CHARACTERS = 1024 * 1024
const ANSWER_CHARACTERS = 256 * 1024 * 1024

/** How an exchange ended. `absent`: nobody listens there. */
export type Exchange<R> =
  | { readonly is: 'ok'; readonly head: Head; readonly rows: R[]; readonly error: string | null }
  | { readonly is: 'absent' | 'busy' | 'died' | 'unreadable' }
  | { readonly is: 'version'; readonly v: number }

/** Asks one publishing thread, and is done within a second of the last line it said, and within ten in any case. */
export function exchange<R>(
  path: string,
  request: Omit<Request, 'v'>,
  row: z.ZodType<R>,
): Promise<Exchange<R>> {
  return new Promise((resolve) => {
    const socket = net.connect(path)
    const reader = new Reader(row)
    const busy = () => settle({ is: 'busy' })
    const silence = setTimeout(busy, SILENCE_MS)
    const patience = setTimeout(busy, PATIENCE_MS)
    const settle = (outcome: Exchange<R>) => {
      clearTimeout(silence)
      clearTimeout(patience)
      socket.destroy()
      resolve(outcome)
    }
    socket.setEncoding('utf8')
    socket.once('connect', () => socket.write(`${JSON.stringify({ v: PROTOCOL_VERSION, ...request })}\n`))
    socket.on('data', (text: string) => {
      if (text.includes('\n')) silence.refresh()
      const outcome = reader.read(text)
      if (outcome !== null) settle(outcome)
    })
    socket.once('close', () => settle({ is: 'died' })) // without the end of an answer
    socket.once('error', ({ code }: NodeJS.ErrnoException) => {
      if (code === 'ECONNREFUSED' || code === 'ENOENT') settle({ is: 'absent' })
      else settle({ is: code === 'EAGAIN' ? 'busy' : 'died' }) // EAGAIN: its queue of readers is full
    })
  })
}

/** Reads an answer line by line. */
class Reader<R> {
  readonly #row: z.ZodType<R>
  readonly #rows: R[] = []
  #head: Head | null = null
  #rest = ''
  #characters = 0

  constructor(row: z.ZodType<R>) {
    this.#row = row
  }

  /** Takes what came; answers with the outcome once there is one. */
  read(text: string): Exchange<R> | null {
    this.#characters += text.length
    const lines = (this.#rest + text).split('\n')
    this.#rest = lines.pop() ?? ''
    if (this.#rest.length > LINE_CHARACTERS || this.#characters > ANSWER_CHARACTERS)
      return { is: 'unreadable' }
    try {
      for (const line of lines) {
        const outcome = this.#line(parsePlain(line))
        if (outcome !== null) return outcome
      }
    } catch {
      return { is: 'unreadable' } // no JSON, or not what belongs there
    }
    return null
  }

  #line(value: unknown): Exchange<R> | null {
    const last = end.safeParse(value)
    if (this.#head === null) {
      if (last.success) return { is: last.data.error === 'busy' ? 'busy' : 'unreadable' } // too many readers
      const { v } = Object(value) as { v?: unknown }
      if (typeof v === 'number' && v !== PROTOCOL_VERSION) return { is: 'version', v }
      this.#head = head.parse(value)
      return null
    }
    if (!last.success) {
      this.#rows.push(this.#row.parse(value))
      return null
    }
    const error = last.data.error ?? null
    if (error === 'version' || last.data.rows !== this.#rows.length) return { is: 'unreadable' }
    return { is: 'ok', head: this.#head, rows: this.#rows, error }
  }
}
