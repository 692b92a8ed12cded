import { once } from 'node:events'
import net from 'node:net'
import { wrapServer } from '@sendfail/net'
import { wrapServer as wrapWebSocketServer } from '@sendfail/ws'
import { publishStatus } from 'sendfail'
import { WebSocket, WebSocketServer } from 'ws'

// A server with clients of every kind in one process: healthy, stalled, slow, reset, and a WebSocket. A second after the
// first send everybody has shown what they are.
const [name = 'chat', thing = 'busy'] = process.argv.slice(2)
process.on('disconnect', () => process.exit())
await publishStatus({ name }).ready

const server = net.createServer()
// more than the kernel takes at once: so the buffer of the slow one is never empty for a moment
wrapServer(server, { maxSendBufferSize: 4 * 1024 * 1024, slowAfterMs: 500, stallAfterMs: 1500 })
server.on('connection', (socket) => {
  socket.on('error', () => {})
  const timer = setInterval(() => {
    for (let message = 0; thing === 'busy' && message < 16; message++) socket.write(Buffer.alloc(64 * 1024))
  }, 20)
  socket.on('close', () => {
    clearInterval(timer)
    socket.write('too late')
  })
})
server.listen(0, '127.0.0.1')
await once(server, 'listening')
const { port } = server.address() as net.AddressInfo
const client = () => net.connect(port, '127.0.0.1')
client().resume()
if (thing === 'busy') {
  client().pause()
  const slow = client().pause()
  setInterval(() => slow.read(100_000), 10)
  const gone = client().resume()
  setTimeout(() => gone.resetAndDestroy(), 300)
}
const webSockets = new WebSocketServer({ port: 0, host: '127.0.0.1' })
await once(webSockets, 'listening')
wrapWebSocketServer(webSockets)
webSockets.on('connection', (ws) => {
  setInterval(() => {
    if (ws.readyState === ws.OPEN) ws.send('tick')
  }, 50)
})
new WebSocket(`ws://127.0.0.1:${(webSockets.address() as net.AddressInfo).port}`)
process.send?.('ready')

// what a test wants it to do
process.on('message', (word) => {
  if (word === 'spin') for (;;);
})
