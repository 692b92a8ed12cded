import type { EventEmitter } from 'node:events'
import { socketStatus } from '@sendfail/core'
import type { Connection } from '../subject.ts'
import { delivered, FLOOD, jam, LIMIT, message, open, turns, until } from '../traffic.ts'
import type { Sentence } from './sentence.ts'

/** All that can be seen of a socket without knowing what a guard puts there. */
class Look {
  readonly #seen: Map<string, unknown>[]

  constructor({ touched }: Connection) {
    this.#seen = touched.map((one) => new Map([...propertiesOf(one), ...listenersOf(one)]))
  }

  /** Names what is not as it was then; with `only`, of the properties that are doors (functions or accessors). */
  differences(connection: Connection, only?: 'doors'): string[] {
    const now = new Look(connection).#seen
    return this.#seen.flatMap((before, index) => {
      const after = now[index] as Map<string, unknown>
      const names = [...new Set([...before.keys(), ...after.keys()])]
      const differing = names.filter((name) => !Object.is(before.get(name), after.get(name)))
      return only === undefined ? differing : differing.filter((name) => isDoor(before, after, name))
    })
  }
}

function* propertiesOf(one: object): Iterable<[string, unknown]> {
  yield ['its prototype', Object.getPrototypeOf(one)]
  for (const key of Reflect.ownKeys(one)) {
    if (key === '_events' || key === '_eventsCount') continue // an emptied one is made anew: see the listeners
    const found = Object.getOwnPropertyDescriptor(one, key) as PropertyDescriptor
    for (const [field, value] of Object.entries(found)) yield [`${String(key)}, its ${field}`, value]
  }
}

function* listenersOf(one: object): Iterable<[string, unknown]> {
  const emitter = one as EventEmitter
  if (typeof emitter.eventNames !== 'function') return
  for (const name of emitter.eventNames()) {
    const listeners = emitter.rawListeners(name)
    for (const [index, listener] of listeners.entries())
      yield [`listener ${index} of ${String(name)}`, listener]
  }
}

function isDoor(before: Map<string, unknown>, after: Map<string, unknown>, name: string): boolean {
  return [before.get(name), after.get(name)].some((value) => typeof value === 'function')
}

export const leftAsFound: Sentence = {
  number: 13,
  sentence: '`uninstall` leaves the socket exactly as `install` found it.',
  async run(t, subject) {
    const idle = await open(t, subject, null)
    const found = new Look(idle)
    t.strictSame(found.differences(idle), [], 'a look changes nothing')
    for (const round of [1, 2]) {
      subject.guard(idle, { maxSendBufferSize: LIMIT })
      t.not(found.differences(idle).length, 0, 'the guard can be seen')
      subject.unguard(idle)
      t.strictSame(found.differences(idle), [], `round ${round}`)
    }
    t.throws(() => socketStatus(idle.socket), { code: 'ERR_SEND_FAIL_NOT_WRAPPED' })

    const used = await open(t, subject, null)
    const bare = new Look(used)
    subject.guard(used, { maxSendBufferSize: LIMIT })
    await jam(t, used)
    used.send('refused')
    subject.unguard(used)
    t.strictSame(bare.differences(used, 'doors'), [], 'with a full buffer')
    const free = [message(1, 100), message(2, 200_000)]
    for (const one of free) used.send(one)
    used.peer.resume()
    await delivered(t, subject, used, [FLOOD, ...free])
    await until('the buffer is empty', () => used.held() === 0)
    await turns()
    t.strictSame(bare.differences(used, 'doors'), [], 'after it was empty again')
    t.strictSame(used.errors, [])

    const dressed = await open(t, subject, null)
    const calls = subject.doors.map((name) => dress(dressed.socket, name))
    const own = new Look(dressed)
    subject.guard(dressed, { maxSendBufferSize: LIMIT })
    dressed.send(message(1, 100))
    t.equal(calls[0]?.count, 1, `the ${subject.doors[0]} that stood on the socket is called`)
    await delivered(t, subject, dressed, [message(1, 100)])
    subject.unguard(dressed)
    t.strictSame(own.differences(dressed, 'doors'), [], "somebody's own doors stand again")
    dressed.send(message(2, 100))
    t.equal(calls[0]?.count, 2)
    await delivered(t, subject, dressed, [message(1, 100), message(2, 100)])
  },
}

/** Puts a function of somebody else's over a method of the socket, as other libraries do. */
function dress(socket: object, name: string): { count: number } {
  const calls = { count: 0 }
  const methods = socket as Record<string, (...args: unknown[]) => unknown>
  const inner = methods[name]
  methods[name] = function (...args) {
    calls.count++
    return inner?.apply(this, args)
  }
  return calls
}
