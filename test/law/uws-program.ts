import fc from 'fast-check'

/** What a message is made of. */
export type UwsMaterial = 'arraybuffer' | 'ascii' | 'buffer' | 'wide'

/** How it is given to uWS: alone, within a cork, in three frames, or in a handler, where uWS is corked too. */
export type UwsHow = 'cork' | 'fragments' | 'handler' | 'send'

export type UwsStep =
  | { readonly do: 'send'; readonly size: number; readonly of: UwsMaterial; readonly how: UwsHow }
  | { readonly do: 'wait'; readonly turns: number }
  | { readonly do: UwsAct }

type UwsAct = (typeof ACTS)[number] | (typeof ENDS)[number]

const ACTS = ['ping', 'peerPauses', 'peerResumes'] as const
const ENDS = ['end', 'close', 'peerCloses', 'peerEnds', 'peerResets'] as const

export const ENDED_BY: Readonly<Partial<Record<UwsStep['do'], 'client' | 'server'>>> = {
  close: 'server',
  end: 'server',
  peerCloses: 'client',
  peerEnds: 'client',
  peerResets: 'client',
}

/** A connection with its options, and what is done to it. */
export interface UwsProgram {
  readonly maxSendBufferSize: number
  readonly admission: 'lenient' | 'strict'
  readonly onFull: 'close' | 'drop' | 'observe'
  /** The limit of uWS itself; 0 is none. */
  readonly maxBackpressure: number
  readonly steps: readonly UwsStep[]
}

const size = fc.oneof(
  { weight: 1, arbitrary: fc.constant(0) },
  { weight: 5, arbitrary: fc.integer({ min: 1, max: 300 }) },
  { weight: 4, arbitrary: fc.integer({ min: 301, max: 65_536 }) },
  { weight: 3, arbitrary: fc.integer({ min: 65_537, max: 1_000_000 }) },
  { weight: 2, arbitrary: fc.integer({ min: 1_000_001, max: 5_000_000 }) },
)

const act = (of: readonly UwsAct[]) => fc.record({ do: fc.constantFrom(...of) })
const step: fc.Arbitrary<UwsStep> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constant('send' as const),
      size,
      of: fc.constantFrom<UwsMaterial>('buffer', 'ascii', 'wide', 'arraybuffer'),
      how: fc.constantFrom<UwsHow>('send', 'send', 'send', 'cork', 'handler', 'fragments'),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('wait' as const), turns: fc.integer({ min: 1, max: 6 }) }),
  },
  { weight: 4, arbitrary: act(ACTS) },
  { weight: 1, arbitrary: act(ENDS) },
)

/** Any program. */
export const uwsProgram: fc.Arbitrary<UwsProgram> = fc.record({
  maxSendBufferSize: fc.constantFrom(1, 1000, 65_536, 1_048_576, 4_194_304, Number.POSITIVE_INFINITY),
  admission: fc.constantFrom('lenient' as const, 'lenient' as const, 'strict' as const),
  onFull: fc.constantFrom('drop' as const, 'drop' as const, 'observe' as const, 'close' as const),
  maxBackpressure: fc.constantFrom(0, 0, 1000, 1_048_576),
  steps: fc.array(step, { minLength: 1, maxLength: 30 }),
})
