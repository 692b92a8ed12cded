import { test } from 'tap'
import { Account } from '../src/account.ts'
import { failurePlace, type Reason, type Receiver, type Stage } from '../src/reason.ts'
import { Series } from '../src/series.ts'

/** The movements that only a connection may make, opened for the test. */
class Books extends Account {
  override hold(bytes: number): void {
    super.hold(bytes)
  }
  override release(bytes: number): void {
    super.release(bytes)
  }
  override forget(messages: number, bytes: number): void {
    super.forget(messages, bytes)
  }
  override fail(reason: Reason, stage: Stage, receiver: Receiver | null, bytes: number): void {
    super.fail(reason, stage, receiver, bytes)
  }
}
const books = () => new Books(new Series({ meter: 'test', transport: 'tcp', protocol: null }))

test('a message moves from pending to sent, in the account and in its series', async (t) => {
  const account = books()
  account.sentAtOnce(5)
  account.hold(7)
  account.hold(9)
  t.match(account, { sent: 1, sentBytes: 5, pending: 2, pendingBytes: 16 })
  t.match(account.series, { sent: 1, sentBytes: 5, pending: 2, pendingBytes: 16 })
  account.release(7)
  t.match(account, { sent: 2, sentBytes: 12, pending: 1, pendingBytes: 9 })
  t.match(account.series, { sent: 2, sentBytes: 12, pending: 1, pendingBytes: 9 })
})

test('a message that is forgotten is in no state', async (t) => {
  const account = books()
  account.hold(7)
  account.forget(1, 7)
  t.match(account, { sent: 0, pending: 0, pendingBytes: 0, failed: 0 })
  t.match(account.series, { sent: 0, pending: 0, pendingBytes: 0 })
})

test('failures are counted by kind, and an account without one holds no counters for them', async (t) => {
  const account = books()
  t.equal(account.failures, null)
  account.fail('buffer_full', 'refused', 'slow', 5)
  account.fail('buffer_full', 'refused', 'slow', 6)
  account.fail('client_closed', 'lost', null, 7)
  t.match(account, { failed: 3, failedBytes: 18 })
  const slow = failurePlace('buffer_full', 'refused', 'slow')
  const lost = failurePlace('client_closed', 'lost', null)
  t.strictSame([account.failures?.[2 * slow], account.failures?.[2 * slow + 1]], [2, 11])
  t.strictSame([account.series.failed[slow], account.series.failedBytes[slow]], [2, 11])
  t.strictSame([account.series.failed[lost], account.series.failedBytes[lost]], [1, 7])
})
