import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import http, { type IncomingMessage } from 'node:http'
import { type AddressInfo, Socket } from 'node:net'
import { snapshot, socketStatus, wrapServer } from '@sendfail/ws'
import t, { type Test } from 'tap'
import { WebSocket, WebSocketServer } from 'ws'
import { VERSION } from '../src/version.ts'

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
const LIMIT = 64 * 1024
const CHUNK = Buffer.alloc(1024 * 1024)

interface Setup {
  readonly wss: WebSocketServer
  readonly port: () => Promise<number>
  /** The WebSockets as the user's code gets them, in its first statement. */
  readonly accepted: WebSocket[]
  readonly wrappedAtOnce: boolean[]
  readonly close: () => void
}

function isWrapped(ws: object): boolean {
  try {
    return socketStatus(ws).limitBytes > 0
  } catch {
    return false
  }
}

function setup(wss: WebSocketServer, server: http.Server | null, close: () => void): Setup {
  const accepted: WebSocket[] = []
  const wrappedAtOnce: boolean[] = []
  const port = async () => {
    const listening = server ?? wss
    if (listening.address() === null) await once(listening, 'listening')
    return (listening.address() as AddressInfo).port
  }
  return { wss, port, accepted, wrappedAtOnce, close }
}

const note = ({ accepted, wrappedAtOnce }: Setup, ws: WebSocket): void => {
  ws.on('error', () => {})
  wrappedAtOnce.push(isWrapped(ws))
  accepted.push(ws)
}

/** How a WebSocketServer comes to its connections. */
const MODES = {
  port(): Setup {
    const wss = new WebSocketServer({ port: 0, host: '127.0.0.1' })
    const made = setup(wss, null, () => wss.close())
    wss.on('connection', (ws) => note(made, ws))
    return made
  },
  server(): Setup {
    const server = http.createServer().listen(0, '127.0.0.1')
    const made = setup(new WebSocketServer({ server }), server, () => server.close())
    made.wss.on('connection', (ws) => note(made, ws))
    return made
  },
  "noServer that emits 'connection'"(): Setup {
    const server = http.createServer().listen(0, '127.0.0.1')
    const made = setup(new WebSocketServer({ noServer: true }), server, () => server.close())
    server.on('upgrade', (request, socket, head) =>
      made.wss.handleUpgrade(request, socket, head, (ws) => made.wss.emit('connection', ws, request)),
    )
    made.wss.on('connection', (ws) => note(made, ws))
    return made
  },
  "noServer that never emits 'connection', without client tracking"(): Setup {
    const server = http.createServer().listen(0, '127.0.0.1')
    const wss = new WebSocketServer({ noServer: true, clientTracking: false })
    const made = setup(wss, server, () => server.close())
    server.on('upgrade', (request, socket, head) =>
      wss.handleUpgrade(request, socket, head, (ws) => note(made, ws)),
    )
    return made
  },
}

/** A client of `made`, and the server's end of it. */
async function connect(t: Test, made: Setup, path = '/'): Promise<{ client: WebSocket; ws: WebSocket }> {
  const client = new WebSocket(`ws://127.0.0.1:${await made.port()}${path}`)
  client.on('error', () => {})
  const count = made.accepted.length
  await once(client, 'open')
  while (made.accepted.length === count) await new Promise(setImmediate)
  const ws = made.accepted.at(-1) as WebSocket
  t.teardown(() => {
    client.terminate()
    ws.terminate()
    made.close()
  })
  return { client, ws }
}

const open = (): number => {
  const { connections } = snapshot().series.find(({ meter }) => meter === '@sendfail/ws') ?? {}
  return connections === undefined ? 0 : connections.ok + connections.burst
}

async function warningsOf(act: () => Promise<unknown>): Promise<(Error & { code?: string })[]> {
  const seen: Error[] = []
  const see = (warning: Error) => void (warning.name === 'SendFailWarning' && seen.push(warning))
  process.on('warning', see)
  await act()
  await new Promise(setImmediate)
  process.off('warning', see)
  return seen
}

for (const [mode, make] of Object.entries(MODES)) {
  t.test(`${mode}: a WebSocket is wrapped before the user's code sees it, and counted once`, async (t) => {
    const made = make()
    wrapServer(made.wss, LIMIT)
    const before = open()
    const { ws } = await connect(t, made)
    t.same(made.wrappedAtOnce, [true])
    t.equal(open(), before + 1)
    ws.send('counted')
    t.match(socketStatus(ws), { limitBytes: LIMIT, attempted: 1, sent: 1, sentBytes: 7 })
  })

  t.test(`${mode}: stop() restores the server exactly; earlier connections stay guarded`, async (t) => {
    const made = make()
    const keys = Reflect.ownKeys(made.wss)
    const listeners = made.wss.listeners('connection')
    const handle = wrapServer(made.wss, LIMIT)
    t.equal(handle.server, made.wss)
    const first = await connect(t, made)
    handle.stop()
    handle.stop()
    t.same(Reflect.ownKeys(made.wss), keys)
    t.equal(made.wss.handleUpgrade, WebSocketServer.prototype.handleUpgrade)
    t.same(made.wss.listeners('connection'), listeners)
    const second = await connect(t, made)
    t.same([isWrapped(first.ws), isWrapped(second.ws)], [true, false])
  })

  t.test(`${mode}: a function is called once for each connection, with its request`, async (t) => {
    const made = make()
    const seen: [WebSocket, IncomingMessage][] = []
    wrapServer(made.wss, (ws, request) => {
      seen.push([ws, request])
      return request.url === '/big' ? { maxSendBufferSize: 4 * LIMIT } : LIMIT
    })
    const small = await connect(t, made, '/small')
    const big = await connect(t, made, '/big')
    t.same(
      seen.map(([, request]) => request.url),
      ['/small', '/big'],
    )
    t.equal(seen[0]?.[0], small.ws)
    t.equal(seen[1]?.[0], big.ws)
    t.same([socketStatus(small.ws).limitBytes, socketStatus(big.ws).limitBytes], [LIMIT, 4 * LIMIT])
  })

  t.test(
    `${mode}: wrapping again changes the limit of later connections and wraps nothing twice`,
    async (t) => {
      const made = make()
      const handle = wrapServer(made.wss, LIMIT)
      const { handleUpgrade } = made.wss
      const first = await connect(t, made)
      t.equal(wrapServer(made.wss, 2 * LIMIT), handle)
      t.equal(made.wss.handleUpgrade, handleUpgrade)
      const second = await connect(t, made)
      t.same([socketStatus(first.ws).limitBytes, socketStatus(second.ws).limitBytes], [LIMIT, 2 * LIMIT])
      handle.stop()
      t.notOk(Object.hasOwn(made.wss, 'handleUpgrade'))
    },
  )

  t.test(`${mode}: a function that throws warns once and leaves the defaults`, async (t) => {
    const made = make()
    wrapServer(made.wss, () => {
      throw new Error('no limit for this one')
    })
    const sockets: WebSocket[] = []
    const warnings = await warningsOf(async () => {
      sockets.push((await connect(t, made)).ws, (await connect(t, made)).ws)
    })
    t.same(
      warnings.map(({ code }) => code),
      ['ERR_SEND_FAIL_CALLBACK'],
    )
    t.same(
      sockets.map((ws) => socketStatus(ws).limitBytes),
      [1024 * 1024, 1024 * 1024],
    )
  })

  t.test(`${mode}: a client that does not read is refused messages above the limit`, async (t) => {
    const made = make()
    wrapServer(made.wss, LIMIT)
    const { client, ws } = await connect(t, made)
    client.pause()
    const errors: unknown[] = []
    for (let i = 0; i < 40; i++) ws.send(CHUNK, (error) => error && errors.push(error))
    await new Promise(setImmediate)
    const { failed, overLimit, pending } = socketStatus(ws)
    t.ok(failed > 0 && pending > 0)
    t.equal(overLimit, 0)
    t.equal(errors.length, failed)
    t.match(errors[0], { code: 'ERR_SEND_FAIL', reason: 'buffer_full', limitBytes: LIMIT })
  })
}

t.test("a WebSocket made otherwise is wrapped when 'connection' is emitted by hand", async (t) => {
  const made = MODES.port()
  const { ws } = await connect(t, made)
  t.notOk(isWrapped(ws))
  const other = new WebSocketServer({ noServer: true })
  wrapServer(other, LIMIT)
  other.on('connection', (found) => t.ok(isWrapped(found)))
  other.emit('connection', ws, {})
  t.equal(socketStatus(ws).limitBytes, LIMIT)
})

t.test('a handshake that was under way at stop() leaves a bare WebSocket', async (t) => {
  const server = http.createServer().listen(0, '127.0.0.1')
  let verified = () => {}
  const verifying = new Promise<void>((resolve) => {
    server.once('upgrade', () => setImmediate(resolve))
  })
  const wss = new WebSocketServer({
    server,
    verifyClient: (_info, done) => {
      verified = () => done(true)
    },
  })
  const handle = wrapServer(wss, LIMIT)
  await once(server, 'listening')
  const client = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`)
  client.on('error', () => {})
  await verifying
  handle.stop()
  const connection = once(wss, 'connection')
  verified()
  const [ws] = await connection
  t.notOk(isWrapped(ws))
  client.terminate()
  server.close()
})

t.test(
  'what another library put over handleUpgrade since stays, and goes on working after stop()',
  async (t) => {
    const made = MODES.server()
    const handle = wrapServer(made.wss, LIMIT)
    const ours = made.wss.handleUpgrade
    let calls = 0
    const theirs: typeof ours = function (this: WebSocketServer, ...args) {
      calls++
      return ours.apply(this, args)
    }
    made.wss.handleUpgrade = theirs
    const first = await connect(t, made)
    handle.stop()
    t.equal(made.wss.handleUpgrade, theirs)
    const second = await connect(t, made)
    t.same([calls, isWrapped(first.ws), isWrapped(second.ws)], [2, true, false])
  },
)

t.test('a subclass with a handleUpgrade of its own is called through', async (t) => {
  let calls = 0
  class Counting extends WebSocketServer {
    override handleUpgrade(...args: Parameters<WebSocketServer['handleUpgrade']>): void {
      calls++
      super.handleUpgrade(...args)
    }
  }
  const wss = new Counting({ port: 0, host: '127.0.0.1' })
  const made = setup(wss, null, () => wss.close())
  wss.on('connection', (ws) => note(made, ws))
  wrapServer(wss, LIMIT)
  await connect(t, made)
  t.same([calls, made.wrappedAtOnce], [1, [true]])
})

t.test('anything else is refused by name', async (t) => {
  const wrong = [
    undefined,
    null,
    1,
    {},
    http.createServer(),
    new Socket(),
    { handleUpgrade() {}, clients: {} },
  ]
  for (const server of wrong) {
    t.throws(() => wrapServer(server as never, LIMIT), {
      name: 'TypeError',
      code: 'ERR_SEND_FAIL_SERVER',
      message: /^server must be a WebSocketServer of ws; received (undefined|null|1|an object \(\w+\))$/,
    })
  }
})

t.test('a wrong limit is refused when the server is wrapped, and leaves it as it was', async (t) => {
  const wss = new WebSocketServer({ noServer: true })
  const keys = Reflect.ownKeys(wss)
  t.throws(() => wrapServer(wss, -1), { name: 'RangeError', code: 'ERR_SEND_FAIL_LIMIT' })
  t.throws(() => wrapServer(wss, { onFull: 'no' as never }), { code: 'ERR_SEND_FAIL_OPTION' })
  t.same(Reflect.ownKeys(wss), keys)
})

t.test('the version in the source is that of package.json', async (t) => {
  t.equal(VERSION, version)
})
