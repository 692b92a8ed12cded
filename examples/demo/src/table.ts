import { styleText } from 'node:util'
import { MIB } from './plan.ts'

export type Colour = 'dim' | 'green' | 'red' | 'yellow' | 'bold'

/** Puts colour on a text, or leaves it. */
export type Paint = (colour: Colour, text: string) => string

export const plain: Paint = (_colour, text) => text
export const coloured: Paint = (colour, text) => styleText(colour, text)

/** A cell is a text, or a text and its colour. */
export type Cell = string | readonly [text: string, colour: Colour]

/**
 * Lines of a table, two blanks between columns and before the first. Columns whose head begins with `>` are aligned to
 * the right.
 */
export function table(head: readonly string[], rows: readonly (readonly Cell[])[], paint: Paint): string[] {
  const right = head.map((title) => title.startsWith('>'))
  const titles = head.map((title): Cell => [title.replace(/^>/, ''), 'dim'])
  const widths = head.map((_, column) =>
    Math.max(...[titles, ...rows].map((row) => textOf(row[column]).length)),
  )
  return [titles, ...rows].map((row) => {
    const last = row.length - 1
    const cells = row.map((cell, column) => {
      const text = textOf(cell)
      const width = widths[column] as number
      const padded = right[column] ? text.padStart(width) : column === last ? text : text.padEnd(width)
      return typeof cell === 'string' ? padded : paint(cell[1], padded)
    })
    return `  ${cells.join('  ')}`.trimEnd()
  })
}

function textOf(cell: Cell | undefined): string {
  return typeof cell === 'string' ? cell : (cell?.[0] ?? '')
}

export function count(value: number): string {
  return value.toLocaleString('en-US')
}

export function mib(bytes: number): string {
  return (bytes / MIB).toFixed(1)
}

export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`
}
