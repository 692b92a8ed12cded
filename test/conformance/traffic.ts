import { randomFillSync } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { registry, type SocketStatus, socketStatus, type WrapOptions } from '@sendfail/core'
import type { Test } from 'tap'
import type { Connection, Subject } from './subject.ts'

/** The limit most sentences are run with, in bytes. */
export const LIMIT = 65_536

/** More than the two kernel buffers of a loopback connection take while the peer does not read. */
export const FLOOD = randomFillSync(Buffer.allocUnsafe(8 * 1024 * 1024))

/** A message that says by its content which one it is. */
export function message(index: number, bytes: number): Buffer {
  return Buffer.alloc(bytes, `message ${index}, `)
}

export const books = ({ socket }: Connection): SocketStatus => socketStatus(socket)

/**
 * Waits for what has to come, in turns of the event loop: a slow machine makes them longer, not fewer. The first ones
 * are single, so that what happens is caught in the middle.
 */
export async function until(what: string, condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 10_000; turn++) {
    if (condition()) return
    await (turn < 200 ? new Promise(setImmediate) : sleep(1))
  }
  throw new Error(`in 10,000 turns of the event loop it never came true that ${what}`)
}

/** Lets everything happen that is due anyway. */
export async function turns(count = 3): Promise<void> {
  for (let turn = 0; turn < count; turn++) {
    await sleep(1)
    await new Promise(setImmediate)
  }
}

export async function open(t: Test, subject: Subject, options: WrapOptions | null): Promise<Connection> {
  const connection = await subject.open()
  t.teardown(() => connection.dispose())
  if (options !== null) subject.guard(connection, options)
  return connection
}

/** A connection whose peer does not read and that holds one message it cannot get rid of. */
export async function jammed(t: Test, subject: Subject, options: WrapOptions): Promise<Connection> {
  const connection = await open(t, subject, options)
  await jam(t, connection)
  return connection
}

export async function jam(t: Test, connection: Connection, flood: Buffer = FLOOD): Promise<void> {
  connection.peer.pause()
  connection.send(flood)
  await until('the kernel has taken what it can', () => connection.jammed())
  await turns()
  t.ok(connection.jammed(), 'the kernel did not take FLOOD whole')
}

export async function drained(connection: Connection): Promise<void> {
  connection.peer.resume()
  await until('the buffer is empty', () => connection.held() === 0 && books(connection).pending === 0)
}

/** A clock in the hand of the test, in milliseconds, for as long as it runs. */
export function handClock(t: Test): { ms: number } {
  const clock = { ms: 1_000_000 }
  t.intercept(registry, 'now', { value: () => clock.ms })
  return clock
}

/** A callback that counts how often it ran, and keeps what it was given. */
export class Told {
  calls = 0
  error: unknown = undefined
  readonly callback = (error?: unknown): void => {
    this.calls++
    this.error = error
  }
}

/**
 * How many of `messages` the peer has completely. Fails if what it has is anything else than a beginning of them, byte
 * for byte and in order.
 */
export function arrived(
  t: Test,
  subject: Subject,
  { peer }: Connection,
  messages: readonly Buffer[],
): number {
  if (subject.framed) {
    const strange = peer.received.findIndex((one, index) => !one.equals(messages[index] ?? Buffer.of(0)))
    t.equal(strange, -1, 'every message arrived as it was sent, in order')
    return peer.received.length
  }
  const stream = Buffer.concat(peer.received)
  t.ok(
    Buffer.concat(messages).subarray(0, stream.length).equals(stream),
    'the bytes arrived as they were sent',
  )
  let left = stream.length
  return messages.filter(({ length }) => {
    left -= length
    return left >= 0
  }).length
}

/** Waits until the peer has all of `messages`, and nothing else. */
export async function delivered(
  t: Test,
  subject: Subject,
  connection: Connection,
  messages: readonly Buffer[],
): Promise<void> {
  const bytes = messages.reduce((sum, one) => sum + one.length, 0)
  const { peer } = connection
  const complete = () =>
    peer.receivedBytes() >= bytes && (!subject.framed || peer.received.length >= messages.length)
  await until(`the peer has ${messages.length} messages`, complete)
  await turns()
  t.equal(peer.receivedBytes(), bytes, 'the peer received these bytes and no others')
  t.equal(arrived(t, subject, connection, messages), messages.length)
}
