import net from 'node:net'
import { wrapSocket } from '@sendfail/net'
import { publishStatus } from 'sendfail'

// As many wrapped sockets as are asked for, which never connect; otherwise idle.
process.on('disconnect', () => process.exit())
await publishStatus({ name: 'crowd' }).ready
const sockets = Array.from({ length: Number(process.argv[2]) }, () => wrapSocket(new net.Socket()))
process.send?.(sockets.length)
