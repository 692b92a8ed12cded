import { emitKeypressEvents } from 'node:readline'
import {
  cursorHide,
  cursorShow,
  cursorTo,
  enterAlternativeScreen,
  eraseDown,
  eraseEndLine,
  exitAlternativeScreen,
} from 'ansi-escapes'
import cliTruncate from 'cli-truncate'

/** A terminal that is redrawn in place, and tells which keys are pressed. It is as it was once this is closed. */
export class Terminal {
  readonly #output: NodeJS.WriteStream
  readonly #input: NodeJS.ReadStream
  readonly #resized: () => void
  readonly #pressed: (text: string | undefined, key: { name?: string; ctrl?: boolean }) => void
  readonly #restore = () => void this.#output.write(exitAlternativeScreen + cursorShow)

  constructor(onKey: (key: string) => void, onResize: () => void) {
    this.#output = process.stdout
    this.#input = process.stdin
    this.#resized = onResize
    this.#pressed = (text, key) => onKey(key?.ctrl === true ? `ctrl-${key.name}` : (text ?? key?.name ?? ''))
    process.once('exit', this.#restore) // also when this program fails
    this.#output.write(enterAlternativeScreen + cursorHide)
    this.#output.on('resize', this.#resized)
    if (!this.#input.isTTY) return
    emitKeypressEvents(this.#input)
    this.#input.setRawMode(true)
    this.#input.on('keypress', this.#pressed)
    this.#input.resume()
  }

  /** As many of the lines as fit, each cut off at the edge; the last line of the screen is for `footer`. */
  draw(lines: readonly string[], footer: string): void {
    const { columns = 80, rows = 24 } = this.#output
    const fitting = lines.slice(0, Math.max(0, rows - 1))
    const drawn = [...fitting, ...Array<string>(Math.max(0, rows - 1 - fitting.length)).fill(''), footer]
    const text = drawn.map((line) => cliTruncate(line, columns) + eraseEndLine)
    this.#output.write(cursorTo(0, 0) + text.join('\r\n') + eraseDown)
  }

  close(): void {
    this.#output.off('resize', this.#resized)
    process.off('exit', this.#restore)
    this.#restore()
    if (!this.#input.isTTY) return
    this.#input.off('keypress', this.#pressed)
    this.#input.setRawMode(false)
    this.#input.pause()
  }
}
