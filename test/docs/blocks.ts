import { readFileSync } from 'node:fs'

/** A fenced block of a document, and the text block that follows it, which is what it prints. */
export interface Block {
  readonly file: string
  /** The line of its first fence, from 1. */
  readonly line: number
  readonly language: string
  readonly code: string
  readonly output: string | null
}

/** The fenced blocks of a Markdown file, in order. */
export function blocksOf(file: string): Block[] {
  const text = readFileSync(file, 'utf8')
  const found = [...text.matchAll(/^```(\w+)\n(.*?)^```$/gms)]
  return found.map((match, index) => {
    const next = found[index + 1]
    const between = next === undefined ? '' : text.slice(match.index + match[0].length, next.index)
    const follows = next?.[1] === 'text' && between.trim() === ''
    return {
      file,
      line: text.slice(0, match.index).split('\n').length,
      language: match[1] as string,
      code: match[2] as string,
      output: follows ? (next[2] as string) : null,
    }
  })
}
