import { AsyncLocalStorage } from 'node:async_hooks'
import { test } from 'tap'
import { type Followed, Registry, registry } from '../src/registry.ts'
import { Series, type SeriesKey } from '../src/series.ts'
import { untilTurn } from './fixtures/books.ts'

const KEY: SeriesKey = { meter: 'test', transport: 'tcp', protocol: null }

/** A connection that is looked at `looks` times and then has no backlog any more. */
function followed(looks: number, tickMs = 5, look: () => void = () => {}): Followed & { seen: number } {
  return {
    tickMs,
    followed: false,
    seen: 0,
    series: new Series(KEY),
    state: () => 'burst',
    sweep() {
      look()
      return ++this.seen < looks
    },
  }
}

test('the registry hangs on globalThis under sendfail.registry.v1 and cannot be replaced', async (t) => {
  const key = Symbol.for('sendfail.registry.v1')
  t.equal(Reflect.get(globalThis, key), registry)
  t.notOk(Reflect.set(globalThis, key, null))
  t.notOk(Object.keys(globalThis).some((name) => name.includes('sendfail')))
})

test('seriesOf makes one series for each combination', async (t) => {
  const own = new Registry()
  const series = own.seriesOf(KEY)
  t.equal(own.seriesOf({ ...KEY }), series)
  for (const other of [{ meter: 'other' }, { transport: 'unix' }, { protocol: 'http' }] as const)
    t.not(own.seriesOf({ ...KEY, ...other }), series)
  t.equal(own.series.size, 4)
  t.match(series, KEY)
})

test('now is a monotonic clock in milliseconds', async (t) => {
  const { now } = new Registry()
  const first = now()
  t.ok(now() >= first)
})

test('wake calls every waker', async (t) => {
  const own = new Registry()
  const woken: string[] = []
  own.wakers.add(() => woken.push('a'))
  own.wakers.add(() => woken.push('b'))
  own.wake()
  t.strictSame(woken, ['a', 'b'])
})

test('the timer visits what is followed until there is nothing left to follow', async (t) => {
  const own = new Registry()
  const short = followed(1)
  const long = followed(4)
  own.follow(short)
  own.follow(long)
  t.ok(short.followed)
  await untilTurn(() => own.backlogged.size === 0)
  t.strictSame([short.seen, long.seen], [1, 4])
  t.strictSame([short.followed, long.followed], [false, false])
})

test('a shorter tick brings the next visit forward, a longer one does not put it off', async (t) => {
  const own = new Registry()
  const hour = followed(1, 3_600_000)
  own.follow(hour)
  const soon = followed(1)
  own.follow(soon)
  own.follow(followed(1, 3_600_000))
  await untilTurn(() => soon.seen > 0)
  t.equal(hour.seen, 1, 'everybody is visited')
  t.equal(own.backlogged.size, 0)
})

test('unfollow ends the visits', async (t) => {
  const own = new Registry()
  const left = followed(100)
  const stays = followed(3)
  own.follow(left)
  own.follow(stays)
  own.unfollow(left)
  t.notOk(left.followed)
  await untilTurn(() => own.backlogged.size === 0)
  t.strictSame([left.seen, stays.seen], [0, 3])
})

test('sweep may be called at any time, with the time of the registry', async (t) => {
  const own = new Registry()
  own.now = () => 77
  const at: number[] = []
  const guard: Followed = {
    ...followed(1),
    sweep(nowMs) {
      at.push(nowMs)
      return false
    },
  }
  own.follow(guard)
  own.sweep()
  t.strictSame(at, [77])
  t.equal(own.backlogged.size, 0)
})

test('the timer does not run in the context of the send that started it', async (t) => {
  const own = new Registry()
  const storage = new AsyncLocalStorage<string>()
  const stores: unknown[] = []
  const guard = followed(3, 5, () => stores.push(storage.getStore()))
  storage.run('of the sender', () => own.follow(guard))
  await untilTurn(() => own.backlogged.size === 0)
  t.strictSame(stores, [undefined, undefined, undefined])
})
