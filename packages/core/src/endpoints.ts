import type { Server, Socket } from 'node:net'

/** The two ends of a connection as text; `null` where one is not known. */
export interface Endpoints {
  /** This process's end: `127.0.0.1:8080`, `[::1]:8080`, or the path of a Unix domain socket. */
  readonly local: string | null
  /** The peer's. */
  readonly foreign: string | null
}

export const NO_ENDPOINTS: Endpoints = Object.freeze({ local: null, foreign: null })

/** An address with its port, an IPv6 one in brackets as in a URL; `null` without an address. */
export function endpoint(address: string | undefined, port: number | undefined): string | null {
  if (address === undefined || address === '') return null
  const host = address.includes(':') ? `[${address}]` : address
  return port === undefined ? host : `${host}:${port}`
}

/** Of a stream. Asked for once, while the connection stands: the kernel forgets the peer of one that was reset. */
export function endpointsOf(socket: Socket): Endpoints {
  if (socket.remoteAddress === undefined) return { local: listeningOn(acceptedBy(socket)), foreign: null }
  return {
    local: endpoint(socket.localAddress, socket.localPort),
    foreign: endpoint(socket.remoteAddress, socket.remotePort),
  }
}

/** The server that accepted a connection; Node keeps it on the socket. */
export function acceptedBy(socket: Socket): Server | null {
  return (socket as { server?: Server | null }).server ?? null
}

/** What a server listens on, `null` if it does not. */
export function listeningOn(server: Server | null): string | null {
  const address = server?.listening === true ? server.address() : null // a pipe has its path for ever
  if (address === null || typeof address === 'string') return address
  return endpoint(address.address, address.port)
}
