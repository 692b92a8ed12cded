import { createRequire } from 'node:module'
import { unwrapSocket, wrapBehavior, wrapSocket } from '@sendfail/uws'
import type * as UWS from '@trufflesuite/uws-js-unofficial'
import type { Sender, Transport } from '../transport.ts'
import { ws } from './ws.ts'

type App = typeof UWS
export type UwsConnection = Parameters<NonNullable<UWS.WebSocketBehavior<unknown>['open']>>[0]

const NAME = '@trufflesuite/uws-js-unofficial'
const require = createRequire(import.meta.url)
const listeners = new WeakMap<object, (count: number) => void>()

/** Is there a binary for this Node? Without one the package is an imitation in JavaScript, which is not worth measuring. */
export function hasNativeUws(): boolean {
  try {
    const { arch, platform, versions } = process
    require.resolve(`${NAME}/binaries/uws_${platform}_${arch}_${versions.modules}.node`)
    return true
  } catch {
    return false
  }
}

const sender: Sender<UwsConnection> = {
  ...(ws as Sender<never>),
  wrap(connection) {
    wrapSocket(connection)
  },
  burst(connection, message, count) {
    for (let left = count; left > 0; left--) connection.send(message)
  },
  buffered: (connection) => connection.getBufferedAmount(),
  isBare: (connection) => !Object.hasOwn(connection, 'send'),
  acknowledged: (connection, heard) => void listeners.set(connection, heard),
}

export const uws: Transport = {
  ...(sender as Sender<never>),
  connect: ws.connect,
  async listen(_connections, accept) {
    if (!hasNativeUws()) throw new Error(`no native uWebSockets.js for Node ${process.versions.node}`)
    const { App, us_socket_local_port } = require(NAME) as App
    const behavior = wrapBehavior<UWS.WebSocketBehavior<unknown>>({
      idleTimeout: 0,
      sendPingsAutomatically: false,
      maxBackpressure: 0,
      open: (connection) => void setImmediate(accept, unwrapSocket(connection)),
      // not in the handler, where uWS packs what is sent into one write
      message: (connection) => void setImmediate(listeners.get(connection) ?? (() => {}), 1),
    })
    const listening = await new Promise<UWS.us_listen_socket>((resolve) => {
      App().ws('/*', behavior).listen('127.0.0.1', 0, resolve)
    })
    return us_socket_local_port(listening)
  },
}
