import { once } from 'node:events'
import http from 'node:http'
import net, { type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { WebSocket, WebSocketServer } from 'ws'

/** The library and its peers, whichever copy and version of them is under test. */
export interface Library {
  readonly net: typeof import('@sendfail/net')
  readonly ws: typeof import('@sendfail/ws')
  readonly peer: { readonly WebSocket: typeof WebSocket; readonly WebSocketServer: typeof WebSocketServer }
}

const LIMIT = 64 * 1024
const CHUNK = Buffer.alloc(1024 * 1024)

/**
 * Real sends of every adapter: some arrive, some are refused, some are lost, some pass although the limit is reached.
 * Everything is closed at the end.
 */
export async function traffic(library: Library): Promise<void> {
  await Promise.all([
    streams(library, undefined),
    streams(library, 'unix'),
    webSockets(library),
    responses(library),
  ])
}

async function streams({ net: { wrapServer } }: Library, transport: 'unix' | undefined): Promise<void> {
  const server = net.createServer()
  wrapServer(server, LIMIT)
  const path = join(tmpdir(), `sendfail-traffic-${process.pid}.sock`)
  await once(transport === undefined ? server.listen(0, '127.0.0.1') : server.listen(path), 'listening')
  const accepted = once(server, 'connection')
  const client = net.connect(
    transport === undefined ? (server.address() as AddressInfo).port : (path as never),
  )
  client.on('error', () => {})
  const [socket] = (await accepted) as [Socket]
  socket.on('error', () => {})
  socket.write('this one arrives')
  await once(client, 'readable')
  for (let i = 0; i < 30; i++) socket.write(CHUNK)
  socket.destroy()
  socket.write('nobody is there')
  await new Promise((resolve) => server.close(resolve))
  client.destroy()
}

async function webSockets({ peer, ws: { wrapServer } }: Library): Promise<void> {
  const server = new peer.WebSocketServer({ port: 0, host: '127.0.0.1' })
  wrapServer(server, LIMIT)
  await once(server, 'listening')
  const accepted = once(server, 'connection')
  const client = new peer.WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`)
  client.on('error', () => {})
  const [ws] = (await accepted) as [WebSocket]
  await once(client, 'open')
  ws.send('this one arrives')
  await once(client, 'message')
  client.pause()
  for (let i = 0; i < 30; i++) ws.send(CHUNK)
  client.terminate()
  await once(ws, 'close')
  ws.send('nobody is there')
  await new Promise((resolve) => server.close(resolve))
}

async function responses({ net: { wrapServer } }: Library): Promise<void> {
  const server = http.createServer((_request, response) => {
    for (let i = 0; i < 8; i++) response.write(CHUNK)
    response.end()
  })
  wrapServer(server, LIMIT)
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const request = http.get({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', agent: false })
  const [response] = (await once(request, 'response')) as [http.IncomingMessage]
  for await (const _chunk of response);
  await new Promise((resolve) => server.close(resolve))
}
