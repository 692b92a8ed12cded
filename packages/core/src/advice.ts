import type { Reason, Receiver } from './reason.ts'

const ADVICE: Readonly<Record<Exclude<Reason, 'buffer_full'>, string>> = {
  client_closed: 'The client closed first: normal. Ignore it unless it dominates.',
  server_closed:
    'This process closed first, then sent or lost what was pending: find the code that sends after closing.',
  too_large: 'One message is larger than the limit: raise the limit or split the message.',
  timed_out: 'The peer vanished or a time limit ran out: check the network path and keep-alive.',
  _OTHER: 'Neither side closed and nothing timed out: read the cause of the error.',
}

const FULL_ADVICE: Readonly<Record<Receiver, string>> = {
  stalled: 'The client stopped receiving (a minimised tab, a stopped process): look at the client.',
  slow: 'The client is continuously slower than the server: produce less, speed the client up, or add bandwidth.',
  burst: 'The server sent more at once than the buffer holds: raise the limit or spread the burst.',
}

/**
 * What to do about a kind of failure, in one sentence or two.
 *
 * @param receiver decides between the three causes of `buffer_full`; ignored for every other reason.
 */
export function adviceFor(reason: Reason, receiver: Receiver | null = null): string {
  return reason === 'buffer_full' ? FULL_ADVICE[receiver ?? 'burst'] : ADVICE[reason]
}
