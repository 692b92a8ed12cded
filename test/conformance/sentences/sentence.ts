import type { Test } from 'tap'
import type { Feature, Subject } from '../subject.ts'

/** One sentence of the transport contract, word for word, and what it takes to see whether it holds. */
export interface Sentence {
  readonly number: number
  readonly sentence: string
  /** Without this feature there is nothing to run. */
  readonly needs?: Feature
  run(t: Test, subject: Subject): Promise<void>
}
