import { type Behaviour, FEED } from './plan.ts'

/** The part of the run a feed is asked about, in milliseconds from its start. */
interface Span {
  readonly fromMs: number
  readonly toMs: number
  /** How long the client has been gone; `null` while it is connected. */
  readonly goneMs: number | null
}

/** Sizes, in bytes, of the messages a client is to be sent now. */
export type Feed = (span: Span) => number[]

const messages = (count: number): number[] => new Array<number>(count).fill(FEED.messageBytes)

/** Always the same, until the program finds out that the client has gone. */
const steady: Feed = ({ fromMs, goneMs, toMs }) => {
  if (goneMs !== null && goneMs >= FEED.noticeAfterMs) return []
  const due = Math.floor(toMs / FEED.messageEveryMs) - Math.floor(fromMs / FEED.messageEveryMs)
  return messages(Math.min(due, FEED.messagesPerTick))
}

/** One large message; after that nothing until the client has gone. */
const file: Feed = (span) => {
  if (span.goneMs !== null) return steady(span)
  return span.fromMs < FEED.fileAtMs && FEED.fileAtMs <= span.toMs ? [FEED.fileBytes] : []
}

/** Much at once, now and then. */
const bursts: Feed = ({ fromMs, toMs }) =>
  burstsUntil(toMs) > burstsUntil(fromMs) ? messages(FEED.burstMessages) : []

function burstsUntil(timeMs: number): number {
  return Math.floor((timeMs - FEED.burstAtMs) / FEED.burstEveryMs)
}

export const FEEDS: Readonly<Record<Behaviour, Feed>> = {
  healthy: steady,
  closes: steady,
  resets: file,
  stops: steady,
  slow: steady,
  burst: bursts,
}
