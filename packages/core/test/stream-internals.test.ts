import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import net from 'node:net'
import { Writable } from 'node:stream'
import { type Test, test } from 'tap'
import { type Link, openLink, type StreamKind } from '../../../test/fixtures/link.ts'
import * as internals from '../src/stream-internals.ts'
import { until } from './fixtures/books.ts'

const LARGE = Buffer.alloc(16 * 1024 * 1024, 'x')

async function open(t: Test, kind: StreamKind): Promise<Link<Socket>> {
  const link = await openLink(kind)
  t.teardown(() => link.dispose())
  return link
}

/** A socket on which Node shows what it is made to show here. */
const shown = (fields: object) => ({ writableLength: 10, bytesWritten: 100, ...fields }) as unknown as Socket

test('setting the need-drain flag works in this version of Node', async (t) => {
  t.equal(internals.FEATURES.needDrain, true)
})

test('askForDrain does nothing to a stream without the state', async (t) => {
  t.doesNotThrow(() => internals.askForDrain({} as Writable))
  const stream = new Writable({ write: (_chunk, _encoding, callback) => setImmediate(callback) })
  stream.write('x')
  internals.askForDrain(stream)
  await once(stream, 'drain')
})

for (const kind of ['tcp', 'tls', 'ipc'] as const) {
  test(`${kind}: unsentBytes is 0 when idle, and falls while the peer reads, with progress`, async (t) => {
    const { peer, socket } = await open(t, kind)
    t.equal(internals.unsentBytes(socket, 0), 0)
    socket.write('hello')
    await until(() => peer.receivedBytes() === 5) // and with it the session tickets of TLS, which are no part of a write
    peer.pause()
    socket.write(LARGE)
    await until(() => internals.unsentBytes(socket, LARGE.length) < LARGE.length)
    const unsent = internals.unsentBytes(socket, LARGE.length)
    const before = internals.progress(socket)
    t.ok(unsent > 0)
    peer.resume()
    await until(() => internals.progress(socket) !== before)
    await until(() => internals.unsentBytes(socket, LARGE.length) === 0)
  })

  test(`${kind}: dispatchedBytes, established, finReceived, isPipe`, async (t) => {
    const { peer, socket } = await open(t, kind)
    socket.write('abc')
    t.equal(internals.dispatchedBytes(socket), 3)
    t.equal(internals.established(socket), kind !== 'ipc', 'a Unix domain socket cannot be asked')
    t.equal(internals.finReceived(socket), false)
    t.equal(internals.isPipe(socket), kind === 'ipc')
    t.equal(internals.carriesHttp(socket), false)
    peer.close()
    await until(() => internals.finReceived(socket))
    socket.destroy()
    t.equal(internals.established(socket), false, 'a destroyed socket has no handle')
    t.ok(Number.isNaN(internals.dispatchedBytes(socket)))
  })
}

test('established is false after a reset', async (t) => {
  const { peer, socket } = await open(t, 'tcp')
  let asked: boolean | null = null
  const destroy = socket._destroy
  socket._destroy = function (error, callback) {
    asked = internals.established(this as Socket)
    return destroy.call(this, error, callback)
  }
  peer.reset()
  await until(() => asked !== null)
  t.equal(asked, false)
})

test('an HTTP parser, or a response in the making, carries HTTP', async (t) => {
  const server = http.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = net.connect((server.address() as AddressInfo).port, '127.0.0.1')
  t.teardown(() => {
    client.destroy()
    server.close()
  })
  const requested = once(server, 'request')
  client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n')
  const [{ socket }] = await requested
  t.equal(internals.carriesHttp(socket), true)
  t.equal(internals.carriesHttp(client), false)
  t.equal(internals.carriesHttp(shown({ _httpMessage: {} })), true)
  t.equal(internals.carriesHttp(shown({ parser: null, _httpMessage: null })), false)
})

test('the default encoding is utf8 unless the stream says otherwise', async (t) => {
  const socket = new net.Socket()
  t.equal(internals.defaultEncoding(socket), 'utf8')
  socket.setDefaultEncoding('latin1')
  t.equal(internals.defaultEncoding(socket), 'latin1')
  t.equal(internals.defaultEncoding(shown({})), 'utf8')
})

test('where Node does not show a queue nothing can be said to have left', async (t) => {
  t.equal(internals.unsentBytes(shown({}), 10), Number.POSITIVE_INFINITY)
  t.equal(internals.unsentBytes(shown({ _handle: {} }), 10), Number.POSITIVE_INFINITY)
  t.equal(internals.unsentBytes(shown({ _handle: null }), 10), Number.POSITIVE_INFINITY)
  t.equal(internals.unsentBytes(shown({ encrypted: true, _handle: {} }), 10), Number.POSITIVE_INFINITY)
  const secureConnecting = {
    encrypted: true,
    secureConnecting: true,
    _handle: { _parent: { writeQueueSize: 5 } },
  }
  t.equal(internals.unsentBytes(shown(secureConnecting), 10), Number.POSITIVE_INFINITY, 'TLS holds data back')
  t.equal(internals.unsentBytes(shown({ writableLength: 0 }), 10), 0)
})

test('without the handle’s counters progress is what the stream shows', async (t) => {
  t.equal(internals.progress(shown({})), -10)
  t.equal(internals.progress(shown({ _handle: { bytesWritten: 5 } })), -10)
  t.equal(internals.progress(shown({ _handle: { writeQueueSize: 5 } })), -10)
  t.equal(internals.progress(shown({ _handle: { bytesWritten: 50, writeQueueSize: 5 } })), 45)
})

test('a FIN that was read is seen where Node shows no state of it, a peer name where there is one', async (t) => {
  t.equal(internals.finReceived(shown({ readableEnded: true })), true)
  t.equal(internals.finReceived(shown({ readableEnded: false, _readableState: { ended: true } })), true)
  t.equal(internals.established(shown({ _handle: {} })), false)
  t.equal(internals.established(shown({ _handle: { getpeername: () => -107 } })), false)
  t.equal(internals.established(shown({ _handle: { getpeername: () => 0 } })), true)
})

/** 100 plain bytes are in flight, all of them dispatched, of which TLS made one record. */
const encrypted = (protocol: string | null, writeQueueSize: number, queued: number) =>
  shown({
    writableLength: 100,
    encrypted: true,
    getProtocol: () => protocol,
    _handle: { bytesWritten: 100, writeQueueSize, _parent: { writeQueueSize: queued } },
  })

for (const [protocol, overhead] of [
  ['TLSv1.2', 29],
  ['TLSv1.3', 22],
] as const) {
  test(`over ${protocol} a record adds ${overhead} bytes to the plain ones`, async (t) => {
    t.equal(internals.unsentBytes(encrypted(protocol, 100 + overhead, 0), 100), 0, 'all has left')
    t.equal(internals.unsentBytes(encrypted(protocol, 100 + overhead, 50), 100), 50)
    t.equal(
      internals.unsentBytes(encrypted(protocol, 101 + overhead, 0), 100),
      100,
      'TLS queues more than the write',
    )
  })
}

for (const protocol of ['TLSv1.1', null]) {
  test(`over ${protocol} nothing of what is in flight can be said to have left`, async (t) => {
    t.equal(internals.unsentBytes(encrypted(protocol, 122, 0), 100), 100)
  })
}
