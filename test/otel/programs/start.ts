// One order in which a process can start:  start.ts <order>.  Prints what was exported, as JSON.
import { once } from 'node:events'
import net, { type AddressInfo, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { metrics } from '@opentelemetry/api'
import { MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics'

class Reader extends MetricReader {
  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}
const reader = new Reader()

const register = (): void => {
  metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }))
}

const nodeSdk = async (): Promise<void> => {
  const [{ NodeSDK }, { SendFailInstrumentation }] = await Promise.all([
    import('@opentelemetry/sdk-node'),
    import('@sendfail/otel'),
  ])
  const instrumentations = [new SendFailInstrumentation()]
  new NodeSDK({ metricReaders: [reader], instrumentations, autoDetectResources: false }).start()
}

/** Three messages that are sent and one that fails, on a socket guarded before. */
async function exchange(): Promise<Socket> {
  const { wrapServer } = await import('@sendfail/net')
  const server = net.createServer()
  wrapServer(server)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const accepted = once(server, 'connection')
  const client = net.connect((server.address() as AddressInfo).port, '127.0.0.1').resume()
  const [socket] = (await accepted) as [Socket]
  for (const message of ['one', 'two', 'three']) socket.write(message)
  socket.destroy()
  socket.write('four')
  client.destroy()
  server.close()
  return socket
}

const ORDERS: Record<string, () => Promise<void>> = {
  async 'SDK, import'() {
    register()
    await exchange()
  },
  async 'import, SDK, wrap'() {
    await import('@sendfail/net')
    register()
    await exchange()
  },
  async 'import, wrap, SDK, failure'() {
    const socket = await exchange()
    register()
    socket.write('five')
  },
  async 'import, wrap, SDK, timer'() {
    await exchange()
    register()
    await sleep(1_200)
  },
  async 'import, wrap, SDK, bindMetrics()'() {
    await exchange()
    register()
    const { bindMetrics } = await import('@sendfail/net')
    bindMetrics()
  },
  async 'NodeSDK, import, wrap'() {
    await nodeSdk()
    await exchange()
  },
  async 'import, wrap, NodeSDK'() {
    await exchange()
    await nodeSdk()
  },
  async 'no SDK'() {
    await Promise.all([import('@sendfail/net'), import('@sendfail/ws')])
    await exchange()
  },
}

const order = process.argv[2] as string
await ORDERS[order]?.()
if (order !== 'no SDK') {
  const { resourceMetrics } = await reader.collect()
  const [scope] = resourceMetrics.scopeMetrics.filter((one) => one.scope.name === '@sendfail/net')
  const sums = (scope?.metrics ?? []).map(({ dataPoints, descriptor }) => [
    descriptor.name,
    dataPoints.reduce((sum, { value }) => sum + (value as number), 0),
  ])
  process.stdout.write(JSON.stringify(Object.fromEntries(sums)))
}
