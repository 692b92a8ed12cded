/** uWS keeps its own limit in 32 bits. */
const LARGEST = 2 ** 32 - 1

/** What uWS takes where a behavior says nothing. */
export const DEFAULT_NATIVE_LIMIT: number = 64 * 1024

/**
 * How much more uWS may hold than the limit says, in bytes on the wire: room for frame headers (up to 10 bytes a message)
 * and what else comes past the guard. With messages of 16 bytes and more the limit is reached first.
 */
export function headroom(limitBytes: number): number {
  return 16_384 + Math.floor(limitBytes / 8)
}

/**
 * The limit to give to uWS beside ours, so that neither is in the way of the other. uWS drops a message when it holds
 * more than this; a send is refused before, as soon as uWS holds as much. A published message comes past the guard and is
 * dropped by uWS. 0 is no limit.
 */
export function nativeLimit(limitBytes: number): number {
  const bytes = limitBytes + headroom(limitBytes)
  return bytes > LARGEST ? 0 : bytes
}
