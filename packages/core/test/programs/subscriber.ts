// A subscriber of each channel throws. Prints what was caught, whether within the send, and the books afterwards.
import { channel } from 'node:diagnostics_channel'
import { openLink } from '../../../../test/fixtures/link.ts'
import { socketStatus, wrapSocket } from '../../src/index.ts'
import { until } from '../fixtures/books.ts'

const caught: string[] = []
process.on('uncaughtException', (error) => caught.push(error.message))
for (const name of ['sendfail:fail', 'sendfail:full', 'sendfail:drain']) {
  channel(name).subscribe(() => {
    throw new Error(name)
  })
}

const { peer, socket, dispose } = await openLink('tcp')
wrapSocket(socket, 1024)
let within = false
try {
  peer.pause()
  socket.write(Buffer.alloc(16 * 1024 * 1024))
  socket.write('refused')
} catch {
  within = true
}
peer.resume()
await until(() => socketStatus(socket).pending === 0)
socket.write('more')
await until(() => caught.length === 3)
const { failed, pending, sent } = socketStatus(socket)
await dispose()
console.log(JSON.stringify({ caught, within, sent, failed, pending }))
