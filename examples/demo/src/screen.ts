import { clearScreenDown, moveCursor } from 'node:readline'
import type { WriteStream } from 'node:tty'
import { stripVTControlCharacters } from 'node:util'
import { coloured, type Paint, plain } from './table.ts'

const LATEST = 5

/** What the picture needs: an ordinary terminal. */
const COLUMNS = 80
const ROWS = 24

/**
 * Where the demo writes. On a terminal a picture is redrawn in place, with the latest events under it; anything else (a
 * pipe, a file, a terminal too small for the picture) gets the events as lines, and no picture.
 */
export class Screen {
  /** Colours only where the terminal has them; Node asks NO_COLOR here. */
  readonly paint: Paint
  readonly #out: WriteStream
  readonly #inPlace: boolean
  #events: string[] = []
  #drawn = 0

  constructor(out: WriteStream) {
    this.#out = out
    this.paint = out.isTTY && out.hasColors() ? coloured : plain
    const { TERM } = process.env
    const fits = out.columns >= COLUMNS && out.rows >= ROWS
    this.#inPlace = out.isTTY && fits && TERM !== 'dumb'
  }

  print(lines: readonly string[]): void {
    this.#out.write(lines.map((line) => `${line}\n`).join(''))
  }

  /** Something happened: a line under the picture, or simply a line. */
  event(line: string): void {
    this.#events.push(line)
    if (!this.#inPlace) this.print([line])
  }

  /** Shows the picture in place of the one before. */
  draw(picture: readonly string[]): void {
    if (!this.#inPlace) return
    const latest = this.#events.slice(-LATEST)
    const lines = [...picture, '', ...latest, ...new Array<string>(LATEST - latest.length).fill('')]
    this.#erase()
    this.print(lines)
    this.#drawn = lines.reduce((rows, line) => rows + this.#rowsOf(line), 0)
  }

  /** Takes the picture away and leaves the events of the whole run in its place. */
  finish(): void {
    if (!this.#inPlace) return
    this.#erase()
    this.print(this.#events)
  }

  /** A line that is too long for the terminal takes more than one row. */
  #rowsOf(line: string): number {
    return Math.max(1, Math.ceil(stripVTControlCharacters(line).length / this.#out.columns))
  }

  #erase(): void {
    moveCursor(this.#out, 0, -this.#drawn)
    clearScreenDown(this.#out)
    this.#drawn = 0
  }
}
