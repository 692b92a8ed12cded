import { type SendFailError, wrapApp, wrapBehavior } from '@sendfail/uws'
import uWS, { type us_listen_socket, type WebSocket } from '@trufflesuite/uws-js-unofficial'

/** What uWS keeps for each connection. */
export interface Subscriber {
  readonly name: string
}

export const LIMIT_BYTES = 256 * 1024
const TOPIC = 'news'

/** A chat server as anybody would write it; only `wrapBehavior` and `wrapApp` are new. */
export class PubSubServer {
  readonly subscribers: Map<string, WebSocket<Subscriber>> = new Map()
  readonly #app: uWS.TemplatedApp
  #listening: us_listen_socket | null = null

  constructor(onSendFail: (failure: SendFailError, ws: WebSocket<Subscriber>) => void) {
    const behavior = wrapBehavior<uWS.WebSocketBehavior<Subscriber>, WebSocket<Subscriber>>(
      {
        upgrade(response, request, context) {
          const name = request.getQuery('name') ?? ''
          const [key, protocol, extensions] = ['key', 'protocol', 'extensions'].map((header) =>
            request.getHeader(`sec-websocket-${header}`),
          ) as [string, string, string]
          response.upgrade<Subscriber>({ name }, key, protocol, extensions, context)
        },
        open: (ws) => {
          ws.subscribe(TOPIC)
          this.subscribers.set(ws.getUserData().name, ws)
        },
      },
      { maxSendBufferSize: LIMIT_BYTES, onSendFail },
    )
    this.#app = wrapApp(uWS.App()).ws('/*', behavior)
  }

  listen(): Promise<number> {
    return new Promise((resolve) => {
      this.#app.listen('127.0.0.1', 0, (listening) => {
        this.#listening = listening
        resolve(uWS.us_socket_local_port(listening))
      })
    })
  }

  /** To all subscribers at once, through uWS. */
  publish(news: Uint8Array): void {
    this.#app.publish(TOPIC, news, true)
  }

  /** To one subscriber. A closed WebSocket of uWS throws, guarded or not. */
  send(name: string, text: string): void {
    try {
      this.subscribers.get(name)?.send(text)
    } catch {
      // the subscriber has gone; its account says so
    }
  }

  close(): void {
    if (this.#listening !== null) uWS.us_listen_socket_close(this.#listening)
  }
}
