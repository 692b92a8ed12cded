// Imports and requires the library in one process; both must read, and add to, the same counters. Prints whether the two
// are one instance (`require` of an ES module) or two copies (Node without it), so that the caller can tell.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import net from 'node:net'
import * as imported from '@sendfail/core'

const required = createRequire(import.meta.url)('@sendfail/core')

if (imported.wrapSocket === undefined) {
  console.log('pending: @sendfail/core has no wrapSocket yet')
  process.exit()
}

const server = net.createServer((socket) => socket.resume()).listen(0, '127.0.0.1')
await once(server, 'listening')
const registry = () => globalThis[Symbol.for('sendfail.registry.v1')]
assert.ok(registry(), 'the registry is on globalThis')
const first = registry()

for (const copy of [imported, required]) {
  const before = JSON.stringify(copy.snapshot())
  const socket = net.connect(server.address().port, '127.0.0.1')
  await once(socket, 'connect')
  assert.equal(copy.wrapSocket(socket, 1024 * 1024), socket)
  socket.write('counted by one copy, read by both')
  const after = JSON.stringify(imported.snapshot())
  assert.notEqual(after, before, 'the send is counted')
  assert.equal(JSON.stringify(required.snapshot()), after, 'both copies read the same counters')
  socket.destroy()
  await once(socket, 'close')
}
assert.equal(registry(), first, 'the first registry stays')
server.close()
console.log(imported.wrapSocket === required.wrapSocket ? 'one instance' : 'two copies')
