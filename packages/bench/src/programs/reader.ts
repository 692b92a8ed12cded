import type { Socket } from 'node:net'
import { TRANSPORTS, type TransportName } from '../transport.ts'

/** The process that reads as fast as it can, parses nothing, and acknowledges now and then. */
export interface ReaderPlan {
  readonly transport: TransportName
  readonly port: number
  readonly connections: number
  readonly acknowledgeBytes: number
}

const { acknowledgeBytes, connections, port, ...plan } = JSON.parse(process.argv[2] as string) as ReaderPlan
const transport = TRANSPORTS[plan.transport]

function read(socket: Socket): void {
  let unacknowledged = 0
  socket.setNoDelay(true) // or an acknowledgement waits for one of the kernel's, and the sender for both
  socket.on('error', () => {}) // the server ends without a farewell
  socket.on('data', (chunk) => {
    unacknowledged += chunk.length
    while (unacknowledged >= acknowledgeBytes) {
      unacknowledged -= acknowledgeBytes
      socket.write(transport.acknowledgement)
    }
  })
}

process.on('disconnect', () => process.exit())
for (let left = connections; left > 0; left--) read(await transport.connect(port))
process.send?.('connected')
