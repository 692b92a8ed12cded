import { metrics } from '@opentelemetry/api'
import { AggregationTemporality, MeterProvider, MetricReader } from '@opentelemetry/sdk-metrics'
import { socketStatus } from '@sendfail/uws'
import { test } from 'tap'
import { WITHOUT_UWS } from '../fixtures/uws.ts'
import { openUws } from '../fixtures/uws-link.ts'
import { exportedBy, pointOf } from './table.ts'

class Reader extends MetricReader {
  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}

const TCP = { 'network.transport': 'tcp', 'network.protocol.name': 'websocket' }

test('a WebSocket of uWebSockets.js is reported by the meter @sendfail/uws', {
  skip: WITHOUT_UWS,
}, async (t) => {
  const reader = new Reader({ aggregationTemporalitySelector: () => AggregationTemporality.CUMULATIVE })
  metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }))
  const collect = async () => exportedBy((await reader.collect()).resourceMetrics, '@sendfail/uws')
  const link = await openUws('uws', { limit: 65_536 })
  t.teardown(() => link.dispose())
  const refused = {
    'error.type': 'buffer_full',
    'socket.receiver': 'burst',
    'socket.send_fail.stage': 'refused',
  }
  t.equal(pointOf(await collect(), 'socket.send_fail', { ...TCP, ...refused }), 0)
  link.peer.pause()
  link.ws.send(Buffer.alloc(16 * 1024 * 1024), true)
  link.ws.send('refused')
  const exported = await collect()
  t.equal(pointOf(exported, 'socket.send_fail', { ...TCP, ...refused }), 1)
  t.equal(pointOf(exported, 'socket.send_fail.size', { ...TCP, ...refused }), 7)
  t.equal(pointOf(exported, 'socket.send_buffer.usage', TCP), socketStatus(link.ws).pendingBytes)
  t.equal(pointOf(exported, 'socket.send_buffer.limit', TCP), 65_536)
  t.equal(pointOf(exported, 'socket.connection.count', { ...TCP, 'socket.receiver': 'burst' }), 1)
})
