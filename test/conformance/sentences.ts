import { callbacksRunOnce, throwsTheSame } from './sentences/calls.ts'
import { progressIsSeen } from './sentences/drained.ts'
import { closedIsNotFull, pendingIsLost, receivedIsNotFailed } from './sentences/ended.ts'
import { neverRefused } from './sentences/exempt.ts'
import { leftAsFound } from './sentences/found.ts'
import { policyIsSilent } from './sentences/policy.ts'
import { drainIsTold, refusalIsTold, refusedInSilence } from './sentences/refused.ts'
import { pendingThenSent, sentAtOnce } from './sentences/sent.ts'
import type { Sentence } from './sentences/sentence.ts'

/** The contract of a transport, as it stands beside the type, with what tries each sentence. */
export const SENTENCES: readonly Sentence[] = [
  sentAtOnce,
  pendingThenSent,
  refusedInSilence,
  refusalIsTold,
  drainIsTold,
  closedIsNotFull,
  pendingIsLost,
  receivedIsNotFailed,
  progressIsSeen,
  neverRefused,
  throwsTheSame,
  callbacksRunOnce,
  leftAsFound,
  policyIsSilent,
]
