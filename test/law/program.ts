import fc from 'fast-check'
import { isWebSocketKind, type Kind } from '../fixtures/link.ts'

/** What a message is made of. `wide` text has characters of three bytes that count as one in `writableLength`. */
export type Material = 'arraybuffer' | 'ascii' | 'blob' | 'buffer' | 'latin1' | 'wide'

/** One thing done to a connection, by our side or by the peer. */
export type Step =
  | { readonly do: 'send'; readonly size: number; readonly of: Material; readonly callback: boolean }
  | { readonly do: 'endWith'; readonly size: number; readonly of: Material; readonly callback: boolean }
  | { readonly do: 'wait'; readonly turns: number }
  | { readonly do: Act }

type Act = (typeof STREAM_ACTS)[number] | (typeof WEBSOCKET_ACTS)[number]

const STREAM_ACTS = [
  'cork',
  'uncork',
  'peerPauses',
  'peerResumes',
  'destroy',
  'destroyWithError',
  'end',
  'peerEnds',
  'peerResets',
] as const
const WEBSOCKET_ACTS = [
  'ping',
  'peerPauses',
  'peerResumes',
  'close',
  'terminate',
  'peerCloses',
  'peerEnds',
  'peerResets',
] as const

/** The acts that end a connection, and whose doing it is. */
export const ENDS: Readonly<Partial<Record<Step['do'], 'peer' | 'self'>>> = {
  close: 'self',
  destroy: 'self',
  destroyWithError: 'self',
  end: 'self',
  endWith: 'self',
  peerCloses: 'peer',
  peerEnds: 'peer',
  peerResets: 'peer',
  terminate: 'self',
}

/** A connection with its options, and what is done to it. */
export interface Program {
  readonly maxSendBufferSize: number
  readonly admission: 'lenient' | 'strict'
  readonly onFull: 'close' | 'drop' | 'observe'
  readonly allowHalfOpen: boolean
  readonly steps: readonly Step[]
}

/** Messages are also exactly as long as a limit: one that fills the buffer to the byte is where an error of one shows. */
const LIMITS = [1, 1000, 65_536, 1_048_576, 4_194_304, Number.POSITIVE_INFINITY]

/** Mostly small, sometimes more than the kernel takes, up to 5 MB. */
const size = fc.oneof(
  { weight: 1, arbitrary: fc.constant(0) },
  { weight: 5, arbitrary: fc.integer({ min: 1, max: 300 }) },
  { weight: 4, arbitrary: fc.integer({ min: 301, max: 65_536 }) },
  { weight: 3, arbitrary: fc.integer({ min: 65_537, max: 1_000_000 }) },
  { weight: 2, arbitrary: fc.integer({ min: 1_000_001, max: 5_000_000 }) },
  { weight: 2, arbitrary: fc.constantFrom(...LIMITS.filter(Number.isFinite)) },
)

/** Any program for one kind of connection. */
export function programOf(kind: Kind): fc.Arbitrary<Program> {
  const materials: Material[] = isWebSocketKind(kind)
    ? ['buffer', 'ascii', 'wide', 'arraybuffer', 'blob']
    : ['buffer', 'ascii', 'wide', 'latin1']
  const message = { size, of: fc.constantFrom(...materials), callback: fc.boolean() }
  const send = fc.record({ do: fc.constant('send' as const), ...message })
  const endWith = fc.record({ do: fc.constant('endWith' as const), ...message })
  const wait = fc.record({ do: fc.constant('wait' as const), turns: fc.integer({ min: 1, max: 6 }) })
  const acts: readonly Act[] = isWebSocketKind(kind) ? WEBSOCKET_ACTS : STREAM_ACTS
  const isEnd = (act: Act) => ENDS[act] !== undefined
  const act = (of: readonly Act[]) => fc.record({ do: fc.constantFrom(...of) })
  const step: fc.Arbitrary<Step> = fc.oneof(
    { weight: 12, arbitrary: send },
    { weight: 3, arbitrary: wait },
    { weight: 4, arbitrary: act(acts.filter((one) => !isEnd(one))) },
    { weight: 1, arbitrary: act(acts.filter(isEnd)) },
    ...(isWebSocketKind(kind) ? [] : [{ weight: 1, arbitrary: endWith }]),
  )
  return fc.record({
    maxSendBufferSize: fc.constantFrom(...LIMITS),
    admission: fc.constantFrom('lenient' as const, 'lenient' as const, 'strict' as const),
    onFull: fc.constantFrom(
      'drop' as const,
      'drop' as const,
      'drop' as const,
      'observe' as const,
      'close' as const,
    ),
    allowHalfOpen: fc.boolean(),
    steps: fc.array(step, { minLength: 1, maxLength: 30 }),
  })
}
