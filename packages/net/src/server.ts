import http from 'node:http'
import https from 'node:https'
import net, { type Socket } from 'node:net'
import tls from 'node:tls'
import {
  guardServer,
  guardSocket,
  type ServerHandle,
  type ServerKind,
  type ServerLimit,
  streamTransport,
  type Transport,
  type WrapOptions,
  wrongType,
} from '@sendfail/core'
import './metrics.ts'

/**
 * A connection of an HTTP server: it is guarded before Node has put a parser on it, so that the server has to say what
 * the socket does not show yet.
 */
const httpTransport: Transport<Socket> = {
  ...streamTransport,
  series: (socket) => ({ ...streamTransport.series(socket), protocol: 'http' }),
  carriesHttp: () => true,
}

/**
 * Guards every connection that a server of `node:net`, `node:tls`, `node:http` or `node:https` accepts from now on, before
 * the listeners that are registered by now see it; under TLS the encrypted socket is guarded, never the one below.
 * An HTTP connection is by default observed: nothing is dropped from a response.
 *
 * Called again for the same server it changes the limit of later connections and returns the same handle.
 *
 * @param limit the most bytes to hold for one peer (default 1 MiB), or options, or a function that is called with each
 * socket and returns either; what it throws, or a wrong answer, becomes a process warning (once) and the connection has
 * the defaults
 * @returns a handle whose `stop()` leaves later connections bare
 * @throws {TypeError} `ERR_SEND_FAIL_SERVER` for anything else, also an http2 server; `ERR_SEND_FAIL_HTTP_DROP` for
 * `onFull: 'drop'` on HTTP; `ERR_SEND_FAIL_LIMIT`, `ERR_SEND_FAIL_OPTION`
 * @throws {RangeError} `ERR_SEND_FAIL_LIMIT`, `ERR_SEND_FAIL_OPTION`
 */
export function wrapServer<V extends net.Server>(server: V, limit?: ServerLimit<Socket>): ServerHandle<V> {
  checkServer(server)
  const carriesHttp = server instanceof http.Server || server instanceof https.Server
  return guardServer(server, limit, kindOf(server instanceof tls.Server, carriesHttp))
}

function checkServer(server: unknown): asserts server is net.Server {
  const expected = 'a net, tls, http or https server'
  if (!(server instanceof net.Server)) throw wrongType('ERR_SEND_FAIL_SERVER', 'server', expected, server)
  if (!isHttp2(server)) return
  const why = `${expected} (the sessions of an http2 server own its sockets: https://nodejs.org/api/http2.html#http2sessionsocket)`
  throw wrongType('ERR_SEND_FAIL_SERVER', 'server', why, server)
}

/** `node:http2` exports no class to compare with. */
function isHttp2(server: net.Server): boolean {
  return typeof (server as { updateSettings?: unknown }).updateSettings === 'function'
}

function kindOf(encrypted: boolean, carriesHttp: boolean): ServerKind<net.Server, Socket> {
  const transport = carriesHttp ? httpTransport : streamTransport
  const event = encrypted ? 'secureConnection' : 'connection'
  return {
    check: carriesHttp ? refuseDrop : () => {},
    guard: (socket, limit) => void guardSocket(checkSocket(socket), transport, limit as number | WrapOptions),
    fallback: carriesHttp ? { onFull: 'observe' } : undefined,
    attach(server, accept) {
      server.prependListener(event, accept)
      return () => void server.off(event, accept)
    },
  }
}

function refuseDrop({ onFull }: WrapOptions<Socket>): void {
  if (onFull !== 'drop') return
  const expected = "'close' or 'observe' on an HTTP server (dropping bytes corrupts a response)"
  throw wrongType('ERR_SEND_FAIL_HTTP_DROP', 'onFull', expected, onFull)
}

/** Any duplex stream can be emitted as a connection; only a socket can be guarded. */
function checkSocket(socket: Socket): Socket {
  if (socket instanceof net.Socket) return socket
  throw wrongType('ERR_SEND_FAIL_SOCKET', 'a connection of the server', 'a net.Socket', socket)
}
