/**
 * What the demo does, in one place: the clients, what each is sent, the limit and the times. Both servers and all client
 * programs read it.
 */

export const BEHAVIOURS = ['healthy', 'closes', 'resets', 'stops', 'slow', 'burst'] as const

/** What a client does; also its name. */
export type Behaviour = (typeof BEHAVIOURS)[number]

/** What a client is connected over. */
export type Over = 'tcp' | 'ws'

/** `tcp slow`: a client over one of the two. */
export function nameOf({ behaviour, over }: { behaviour: Behaviour; over: Over }): string {
  return `${over.padEnd(3)} ${behaviour}`
}

export const KIB = 1024
export const MIB = 1024 * KIB

/**
 * The options the servers are wrapped with. On loopback the kernel tells that a reader took something only when a third
 * of its own send buffer is free, about every 1.6 MB: at `READS.slowBytesPerSecond` every 1.6 s. `stallAfterMs` has to
 * be well above that, and the limit so large that the slow client's backlog lasts longer than `slowAfterMs`.
 */
export const OPTIONS = { maxSendBufferSize: 4 * MIB, slowAfterMs: 1_000, stallAfterMs: 6_000 } as const

/** When and how fast the clients do what they do, from the start of the feed. */
export const READS = {
  closeAfterMs: 2_000,
  resetAfterMs: 4_000,
  slowBytesPerSecond: 1_000_000,
} as const

/** What the servers send. A kernel takes 4 to 10 MB for a client before anything waits in the process. */
export const FEED = {
  tickMs: 40,
  messageBytes: 64 * KIB,
  messageEveryMs: 20,
  /** A process that was held up does not make up for more than this at once. */
  messagesPerTick: 10,
  fileBytes: 16 * MIB,
  fileAtMs: 500,
  burstMessages: 512,
  burstAtMs: 1_500,
  burstEveryMs: 4_000,
  /** A program finds out about a closed client only so late, as programs do, and sends until then. */
  noticeAfterMs: 1_000,
  /** The most that is produced for one client, whatever happens. */
  maxBytesPerClient: 128 * MIB,
} as const

/** How long the demo runs: until everything was seen, at least and at most so long. */
export const RUN = { connectMs: 15_000, lookMs: 250, minMs: 13_000, maxMs: 24_000 } as const

const perSecond = (FEED.messageBytes * 1000) / FEED.messageEveryMs / MIB

/** What each client does, in words. */
export const WORDS: Readonly<Record<Behaviour, string>> = {
  healthy: 'reads everything it is sent',
  closes: `closes the connection after ${READS.closeAfterMs / 1000} s, in good order`,
  resets: `asks for a file of ${FEED.fileBytes / MIB} MiB and breaks the connection off in the middle of it`,
  stops: 'stops reading after the first message and stays connected',
  slow: `reads ${(READS.slowBytesPerSecond / MIB).toFixed(1)} MiB/s of the ${perSecond.toFixed(1)} MiB/s it is sent`,
  burst: `reads everything, but is sent ${(FEED.burstMessages * FEED.messageBytes) / MIB} MiB at once every ${FEED.burstEveryMs / 1000} s`,
}
