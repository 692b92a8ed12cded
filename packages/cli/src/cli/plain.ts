/** Longest text of another process that is shown. */
const CHARACTERS = 200

/**
 * Text of another process made harmless for a terminal: controls (escape sequences start with one), formats (they turn
 * the direction of writing around, or are invisible), line separators, and halves of characters become U+FFFD.
 */
export function plain(text: string): string {
  const cut = text.length > CHARACTERS ? text.slice(0, CHARACTERS) : text // what is cut in half is replaced too
  return cut.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu, '\ufffd')
}

/**
 * Reads JSON of another process, with all texts in it made {@link plain}. The one way in which any enters this program.
 *
 * @throws {SyntaxError}
 */
export function parsePlain(json: string): unknown {
  return JSON.parse(json, (_key, value) => (typeof value === 'string' ? plain(value) : value))
}
