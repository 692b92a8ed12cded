import { once } from 'node:events'
import http from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { snapshot, socketStatus, unwrapSocket, wrapServer as wrapHttpServer } from '@sendfail/net'
import { wrapServer as wrapWebSocketServer } from '@sendfail/ws'
import t from 'tap'
import { WebSocket, WebSocketServer } from 'ws'

// An HTTP server guarded by one adapter whose connections become WebSockets guarded by another.

const open = (protocol: string): number => {
  const { connections } = snapshot().series.find((series) => series.protocol === protocol) ?? {}
  return Object.values(connections ?? {}).reduce((sum, count) => sum + count, 0)
}
const sent = (protocol: string): number =>
  snapshot().series.find((series) => series.protocol === protocol)?.sent ?? 0

async function upgrade(
  prepare: (server: http.Server, wss: WebSocketServer) => void,
): Promise<{ ws: WebSocket; socket: Socket; client: WebSocket; end: () => Promise<void> }> {
  const server = http.createServer()
  const wss = new WebSocketServer({ server })
  prepare(server, wss)
  const sockets = once(server, 'connection')
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const accepted = once(wss, 'connection')
  const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`)
  const [[socket], [ws]] = await Promise.all([sockets, accepted, once(client, 'open')])
  const end = async (): Promise<void> => {
    client.terminate()
    await once(ws, 'close')
    server.close()
  }
  return { ws, socket, client, end }
}

t.test('the connection moves from one account to the other, and each message is counted once', async (t) => {
  const before = [sent('http'), sent('websocket')] as const
  const { client, end, ws } = await upgrade((server, wss) => {
    wrapHttpServer(server, 1000)
    wrapWebSocketServer(wss, 2000)
  })
  t.same([open('http'), open('websocket')], [0, 1])
  ws.send('one')
  ws.send('two')
  await once(client, 'message')
  t.same(
    [sent('http') - before[0], sent('websocket') - before[1]],
    [1, 2],
    'HTTP sent the answer to the upgrade',
  )
  t.match(socketStatus(ws), { limitBytes: 2000, attempted: 2, sent: 2 })
  await end()
  t.same([open('http'), open('websocket')], [0, 0])
})

t.test('without the adapter of ws the upgraded socket stays an observed one', async (t) => {
  const { end, socket, ws } = await upgrade((server) => wrapHttpServer(server, 1000))
  const { attempted } = socketStatus(socket)
  ws.send('x'.repeat(5000))
  t.ok(socketStatus(socket).attempted > attempted)
  t.same([open('http'), open('websocket'), socketStatus(socket).failed], [1, 0, 0])
  await end()
  t.equal(open('http'), 0)
})

t.test('unwrapping the WebSocket puts the guard of the HTTP connection back', async (t) => {
  const { end, socket, ws } = await upgrade((server, wss) => {
    wrapHttpServer(server, 1000)
    wrapWebSocketServer(wss, 2000)
  })
  unwrapSocket(ws)
  t.match(socketStatus(socket), { limitBytes: 1000, attempted: 0 })
  t.equal(open('websocket'), 0)
  await end()
})
