import type { Reason } from './reason.ts'

/** Workerman's `defaultMaxSendBufferSize`: 1 MiB. */
export const DEFAULT_MAX_SEND_BUFFER_SIZE: number = 1024 * 1024

/**
 * Does a message of `bytes` fit a buffer that holds `pendingBytes`? `null` if it does, else the reason it does not.
 *
 * Lenient (Workerman's rule): only what is already held counts, so an empty buffer takes a message of any size and a
 * connection holds less than the limit plus its largest message. Strict: the message counts too.
 */
export function refusal(
  pendingBytes: number,
  bytes: number,
  limitBytes: number,
  strict: boolean,
): Extract<Reason, 'buffer_full' | 'too_large'> | null {
  if (!strict) return pendingBytes >= limitBytes ? 'buffer_full' : null
  if (bytes > limitBytes) return 'too_large'
  return pendingBytes + bytes > limitBytes ? 'buffer_full' : null
}
