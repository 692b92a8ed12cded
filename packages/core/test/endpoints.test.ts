import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'tap'
import { openLink } from '../../../test/fixtures/link.ts'
import { acceptedBy, endpoint, endpointsOf, listeningOn } from '../src/endpoints.ts'

test('an IPv6 address stands in brackets before its port', async (t) => {
  t.equal(endpoint('::1', 80), '[::1]:80')
  t.equal(endpoint('127.0.0.1', 80), '127.0.0.1:80')
  t.equal(endpoint('127.0.0.1', undefined), '127.0.0.1')
  t.equal(endpoint('', 80), null)
  t.equal(endpoint(undefined, 80), null)
})

for (const kind of ['tcp', 'tls'] as const) {
  test(`${kind}: the two ends of a connection are each other's`, async (t) => {
    const [accepted, made] = [await openLink(kind), await openLink(kind, { side: 'client' })]
    t.teardown(() => Promise.all([accepted.dispose(), made.dispose()]))
    for (const { under } of [accepted, made]) {
      t.strictSame(endpointsOf(under), {
        local: `127.0.0.1:${under.localPort}`,
        foreign: `127.0.0.1:${under.remotePort}`,
      })
    }
    t.ok(acceptedBy(accepted.under) instanceof net.Server)
    t.equal(acceptedBy(made.under), null)
  })
}

test('ipc: the local end is the path the server listens on, the peer has none', async (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'ends-')) // the path of a socket must be short
  t.teardown(() => rmSync(directory, { recursive: true }))
  const path = join(directory, 'socket')
  const server = net.createServer().listen(path)
  await once(server, 'listening')
  const made = net.connect(path)
  const [accepted] = (await once(server, 'connection')) as [net.Socket]
  t.strictSame(endpointsOf(accepted), { local: path, foreign: null })
  t.strictSame(endpointsOf(made), { local: null, foreign: null })
  made.destroy()
  accepted.destroy()
  server.close()
  t.equal(listeningOn(server), null)
})

test('a TCP server listens on its address and port until it is closed', async (t) => {
  const server = net.createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.equal(listeningOn(server), `127.0.0.1:${(server.address() as net.AddressInfo).port}`)
  server.close()
  t.equal(listeningOn(server), null)
  t.equal(listeningOn(null), null)
})
