import { GUARD, innerDoor, putDoor, registry, wrongType } from '@sendfail/core'
import './metrics.ts'
import { byteLength, countDrop, frameLength } from './send.ts'
import { type Guarded, heldBytes, sample, stateOf } from './socket.ts'

// What uWS drops of published messages. A build that calls the `dropped` handler tells it of each one. Older builds tell
// nothing; there the amount that uWS holds for a subscriber is looked at before the messages of a turn are published and
// after: uWS holds what it kept of them, in their order, and has dropped the rest. Where bytes have left meanwhile the
// sums do not fit, and nothing is counted.

type Publish = (this: object, ...args: unknown[]) => unknown

/** The part of a `TemplatedApp` that is used here. */
export interface UwsAppLike {
  publish(topic: never, message: never, isBinary?: boolean, compress?: boolean): boolean
}

/** What is published to one subscriber in this turn of the event loop. */
interface Watch {
  readonly amount: number
  /** Messages of its own that were accepted: with more of them the amount says nothing. */
  readonly accepted: number
  readonly bytes: number[]
}

const watched = new Map<Guarded, Watch>()
const found = new WeakMap<object, { found: PropertyDescriptorMap | null }>()
/**
 * Has `app.publish` counted: a published message that uWS drops for a subscriber whose buffer is full is a failed message
 * of that subscriber. Needed only with builds of uWebSockets.js that do not call the `dropped` handler; works in place and
 * returns the app.
 *
 * @throws {TypeError} `ERR_SEND_FAIL_SERVER` for anything else
 */
export function wrapApp<A extends UwsAppLike>(app: A): A {
  if (typeof Object(app).publish !== 'function')
    throw wrongType('ERR_SEND_FAIL_SERVER', 'app', 'an app of uWebSockets.js', app)
  if (found.has(app)) return app
  const doors = { found: null }
  found.set(app, doors)
  putDoor(app, doors, 'publish', guardedAppPublish as () => unknown)
  return app
}

function guardedAppPublish(this: object, ...args: unknown[]): unknown {
  watch(null, args)
  return (innerDoor(this, found.get(this), 'publish') as Publish).apply(this, args)
}

/** `publish` of a WebSocket, to all subscribers but itself. */
export function guardedPublish(this: Guarded, ...args: unknown[]): unknown {
  if (this[GUARD] !== undefined) watch(this, args)
  return (innerDoor(this, this[GUARD], 'publish') as Publish).apply(this, args)
}

/** Notes what the subscribers that are known to have a backlog hold before the message. */
function watch(publisher: Guarded | null, [topic, message, , compress]: unknown[]): void {
  const bytes = byteLength(message)
  if (Number.isNaN(bytes)) return
  for (const followed of registry.backlogged) {
    const ws = (followed as unknown as { socket: Guarded }).socket
    const state = stateOf(ws)
    if (
      state === undefined ||
      ws === publisher ||
      state.rules.tellsOfDrops ||
      sample(ws).closed ||
      !subscribed(ws, topic)
    )
      continue
    const known = watched.get(ws)
    if (known === undefined) {
      const { pending, sent } = ws[GUARD]
      watched.set(ws, { amount: state.amount, accepted: pending + sent, bytes: [compress ? -1 : bytes] })
    } else known.bytes.push(compress ? -1 : bytes)
  }
  if (watched.size > 0) setImmediate(compare)
}

function subscribed(ws: Guarded, topic: unknown): boolean {
  try {
    return (ws as unknown as { isSubscribed(topic: unknown): boolean }).isSubscribed(topic)
  } catch {
    return false // a wrong type, on which publish throws
  }
}

/** uWS publishes before it polls and after, so that it has by now. */
function compare(): void {
  for (const [ws, { accepted, amount, bytes }] of watched) {
    const guard = ws[GUARD]
    if (guard === undefined || guard.ended || stateOf(ws).rules.tellsOfDrops) continue
    heldBytes(ws)
    const { amount: now, closed, rules } = stateOf(ws)
    if (closed || guard.pending + guard.sent !== accepted) continue
    for (const lost of droppedOf(bytes, amount, now - amount, rules.nativeLimitBytes)) countDrop(ws, lost)
  }
  watched.clear()
}

/** The messages that uWS dropped, if it holds exactly those before them and more than its limit; else none. */
function droppedOf(
  bytes: readonly number[],
  amount: number,
  growth: number,
  limitBytes: number,
): readonly number[] {
  let kept = 0
  let sum = 0
  while (sum < growth && kept < bytes.length && bytes[kept] !== -1)
    sum += frameLength(bytes[kept++] as number)
  const dropped = bytes.slice(kept)
  const isKnown = sum === growth && limitBytes > 0 && amount + sum > limitBytes && !dropped.includes(-1)
  return isKnown ? dropped : []
}
