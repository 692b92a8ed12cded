// Loads two copies of the library, one as ES modules and one as CommonJS, and exports what both counted.
//   node copies.mjs <folder> <folder>
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createRequire } from 'node:module'
import net from 'node:net'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const [first, second] = process.argv.slice(2)
const load = createRequire(join(first, 'here.js'))
const { metrics } = load('@opentelemetry/api')
const { AggregationTemporality, MeterProvider, MetricReader } = load('@opentelemetry/sdk-metrics')
const file = (folder, build) => join(folder, 'node_modules/@sendfail/net/dist', build, 'index.js')

const early = await import(pathToFileURL(file(first, 'esm')))
const late = createRequire(join(second, 'here.js'))(file(second, 'cjs'))
assert.notEqual(early.wrapServer, late.wrapServer, 'they are two copies')

class Reader extends MetricReader {
  async onForceFlush() {}
  async onShutdown() {}
}
const reader = new Reader({ aggregationTemporalitySelector: () => AggregationTemporality.CUMULATIVE })

/** Three messages on a connection of a server that `copy`, and then the other, guards; one more when it is closed. */
async function exchange(copy, other) {
  const server = net.createServer()
  const handle = copy.wrapServer(server, 1000)
  assert.equal(other.wrapServer(server, 2000), handle, 'one handle for a server, whichever copy is asked')
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const accepted = once(server, 'connection')
  const client = net.connect(server.address().port, '127.0.0.1').resume()
  const [socket] = await accepted
  assert.equal(copy.socketStatus(socket).limitBytes, 2000)
  for (const message of ['one', 'two', 'three']) socket.write(message)
  socket.destroy()
  socket.write('four')
  client.destroy()
  server.close()
}

await exchange(early, late)
metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }))
await exchange(late, early)

const { errors, resourceMetrics } = await reader.collect()
assert.deepEqual(errors, [])
assert.deepEqual(
  resourceMetrics.scopeMetrics.map(({ scope }) => scope.name),
  ['@sendfail/net'],
)
const sums = {}
for (const { dataPoints, descriptor } of resourceMetrics.scopeMetrics[0].metrics) {
  const lines = dataPoints.map(({ attributes }) => JSON.stringify(Object.entries(attributes).sort()))
  assert.equal(new Set(lines).size, lines.length, `${descriptor.name}: every point once`)
  sums[descriptor.name] = dataPoints.reduce((sum, { value }) => sum + value, 0)
}
assert.equal(early.snapshot().failed, 2)
console.log(JSON.stringify(sums))
