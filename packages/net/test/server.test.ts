import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import http from 'node:http'
import http2 from 'node:http2'
import https from 'node:https'
import net, { type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Duplex } from 'node:stream'
import tls from 'node:tls'
import { type SeriesStatus, type ServerHandle, snapshot, socketStatus, wrapServer } from '@sendfail/net'
import t, { type Test } from 'tap'
import { cert, key } from '../../../test/fixtures/certificate.ts'
import { VERSION } from '../src/version.ts'

const TLS = { cert, key }
const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'))
const LIMIT = 64 * 1024
const CHUNK = Buffer.alloc(1024 * 1024)

/** The four kinds of server, the event that brings a connection's socket, and the protocol it is counted under. */
const KINDS = [
  { name: 'net', make: () => net.createServer(), event: 'connection', protocol: null },
  { name: 'tls', make: () => tls.createServer(TLS), event: 'secureConnection', protocol: null },
  { name: 'http', make: () => http.createServer(), event: 'connection', protocol: 'http' },
  { name: 'https', make: () => https.createServer(TLS), event: 'secureConnection', protocol: 'http' },
] as const
type Kind = (typeof KINDS)[number]

const encrypted = (kind: Kind): boolean => kind.event === 'secureConnection'

/** Connects a client that never reads unless told to; both sides end with the test. */
async function connect(t: Test, kind: Kind, server: net.Server): Promise<{ client: Socket; socket: Socket }> {
  if (!server.listening) await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  const accepted = once(server, kind.event)
  const options = { port, host: '127.0.0.1', ca: cert, servername: 'localhost' }
  const client = encrypted(kind) ? tls.connect(options) : net.connect(options)
  const [socket] = (await accepted) as [Socket]
  client.on('error', () => {})
  socket.on('error', () => {})
  t.teardown(() => {
    client.destroy()
    socket.destroy()
    server.close()
  })
  return { client, socket }
}

const isWrapped = (socket: object): boolean => {
  try {
    return socketStatus(socket).limitBytes > 0
  } catch {
    return false
  }
}

const series = (protocol: string | null, transport = 'tcp'): Partial<SeriesStatus> =>
  snapshot().series.find((one) => one.protocol === protocol && one.transport === transport) ?? {}

const connections = (protocol: string | null): number => series(protocol).connections?.ok ?? 0

async function warningOf(
  act: () => Promise<unknown>,
): Promise<(Error & { code?: string; detail?: string })[]> {
  const seen: Error[] = []
  const note = (warning: Error) => void (warning.name === 'SendFailWarning' && seen.push(warning))
  process.on('warning', note)
  await act()
  await new Promise(setImmediate)
  process.off('warning', note)
  return seen
}

for (const kind of KINDS) {
  t.test(
    `${kind.name}: an accepted connection is wrapped before a listener of '${kind.event}' sees it`,
    async (t) => {
      const server = kind.make()
      const found: unknown[] = []
      server.on(kind.event, (socket: Socket) => found.push(isWrapped(socket)))
      wrapServer(server, LIMIT)
      const { socket } = await connect(t, kind, server)
      t.same(found, [true])
      t.match(socketStatus(socket), { limitBytes: LIMIT, attempted: 0, closedBy: null })
      t.equal(socket instanceof tls.TLSSocket, encrypted(kind))
    },
  )

  t.test(`${kind.name}: a connection is counted once, under protocol ${kind.protocol}`, async (t) => {
    const server = kind.make()
    wrapServer(server, LIMIT)
    const before = [connections(null), connections('http')]
    const { socket } = await connect(t, kind, server)
    const other = kind.protocol === null ? 'http' : null
    t.equal(connections(kind.protocol), ((kind.protocol === null ? before[0] : before[1]) as number) + 1)
    t.equal(connections(other), other === null ? before[0] : before[1])
    const sent = series(kind.protocol).sent ?? 0
    socket.write('HTTP/1.1 204 No Content\r\n\r\n')
    await new Promise((resolve) => setTimeout(resolve, 20))
    t.equal(series(kind.protocol).sent, sent + 1)
  })

  t.test(`${kind.name}: stop() leaves later connections bare and earlier ones guarded`, async (t) => {
    const server = kind.make()
    const listeners = server.listeners(kind.event)
    const handle = wrapServer(server, LIMIT)
    t.equal(handle.server, server)
    const first = await connect(t, kind, server)
    const mark = Symbol.for('sendfail.server.v1')
    const keys = Reflect.ownKeys(server)
    t.ok(keys.includes(mark))
    handle.stop()
    handle.stop()
    t.same(server.listeners(kind.event), listeners)
    t.same(
      Reflect.ownKeys(server),
      keys.filter((key) => key !== mark),
    )
    const second = await connect(t, kind, server)
    t.same([isWrapped(first.socket), isWrapped(second.socket)], [true, false])
  })

  t.test(`${kind.name}: wrapping again changes the limit of later connections only`, async (t) => {
    const server = kind.make()
    const handle = wrapServer(server, LIMIT)
    const listeners = server.listenerCount(kind.event)
    const first = await connect(t, kind, server)
    t.equal(wrapServer(server, { maxSendBufferSize: 2 * LIMIT }), handle)
    t.equal(server.listenerCount(kind.event), listeners)
    const before = connections(kind.protocol)
    const second = await connect(t, kind, server)
    t.equal(connections(kind.protocol), before + 1)
    t.equal(socketStatus(first.socket).limitBytes, LIMIT)
    t.equal(socketStatus(second.socket).limitBytes, 2 * LIMIT)
  })

  t.test(`${kind.name}: a function gives each connection its limit`, async (t) => {
    const server = kind.make()
    const seen: Socket[] = []
    const limits = [LIMIT, { maxSendBufferSize: 3 * LIMIT, onFull: 'close' } as const, undefined]
    wrapServer(server, (socket) => limits[seen.push(socket) - 1])
    const links = [
      await connect(t, kind, server),
      await connect(t, kind, server),
      await connect(t, kind, server),
    ]
    t.same(
      links.map(({ socket }) => socketStatus(socket).limitBytes),
      [LIMIT, 3 * LIMIT, 1024 * 1024],
    )
    t.same(seen.length, 3)
    for (const [at, { socket }] of links.entries()) t.equal(seen[at], socket)
  })

  t.test(
    `${kind.name}: a function that throws or answers wrongly warns once and leaves the defaults`,
    async (t) => {
      const answers: [name: string, answer: () => never, code: string][] = [
        [
          'throws',
          () => {
            throw new Error('no limit for this one')
          },
          'ERR_SEND_FAIL_CALLBACK',
        ],
        ['returns a string', () => 'much' as never, 'ERR_SEND_FAIL_LIMIT'],
        ['returns null', () => null as never, 'ERR_SEND_FAIL_LIMIT'],
        ['returns an unknown option', () => ({ onFul: 'drop' }) as never, 'ERR_SEND_FAIL_OPTION'],
        ['returns a promise', () => Promise.reject(new Error('later')) as never, 'ERR_SEND_FAIL_LIMIT'],
      ]
      for (const [name, answer, code] of answers) {
        const server = kind.make()
        wrapServer(server, answer)
        const sockets: Socket[] = []
        const warnings = await warningOf(async () => {
          sockets.push((await connect(t, kind, server)).socket, (await connect(t, kind, server)).socket)
        })
        t.same(
          warnings.map((warning) => warning.code),
          [code],
          name,
        )
        t.same(
          sockets.map((socket) => socketStatus(socket).limitBytes),
          [1024 * 1024, 1024 * 1024],
          name,
        )
      }
    },
  )

  t.test(
    `${kind.name}: the guard ${kind.protocol === 'http' ? 'observes' : 'drops'} by default`,
    async (t) => {
      const server = kind.make()
      const failures: unknown[] = []
      wrapServer(server, {
        maxSendBufferSize: LIMIT,
        onSendFail: ({ reason, stage }) => failures.push([reason, stage]),
      })
      const { client, socket } = await connect(t, kind, server)
      client.pause()
      for (let i = 0; i < 40; i++) socket.write(CHUNK)
      const { failed, overLimit } = socketStatus(socket)
      if (kind.protocol === 'http') {
        t.match({ failed, overLimit: overLimit > 0 }, { failed: 0, overLimit: true })
      } else {
        t.match({ failed: failed > 0, overLimit }, { failed: true, overLimit: 0 })
        t.same(failures[0], ['buffer_full', 'refused'])
      }
    },
  )
}

for (const kind of KINDS.filter(({ protocol }) => protocol === 'http')) {
  t.test(`${kind.name}: 'drop' is refused`, async (t) => {
    const server = kind.make()
    const listeners = server.listenerCount(kind.event)
    t.throws(() => wrapServer(server, { onFull: 'drop' }), {
      name: 'TypeError',
      code: 'ERR_SEND_FAIL_HTTP_DROP',
      message: /'drop'/,
    })
    t.equal(server.listenerCount(kind.event), listeners)
    wrapServer(server, () => ({ onFull: 'drop', maxSendBufferSize: LIMIT }))
    const sockets: Socket[] = []
    const warnings = await warningOf(async () => {
      sockets.push((await connect(t, kind, server)).socket, (await connect(t, kind, server)).socket)
    })
    t.match(warnings, [{ code: 'ERR_SEND_FAIL_HTTP_DROP', detail: /dropping bytes corrupts/ }])
    t.equal(warnings.length, 1)
    for (const socket of sockets) {
      for (let i = 0; i < 40; i++) socket.write(CHUNK)
      const { attempted, failed, limitBytes } = socketStatus(socket)
      t.same({ attempted, failed, limitBytes }, { attempted: 40, failed: 0, limitBytes: 1024 * 1024 })
    }
  })

  t.test(`${kind.name}: a response far above the limit arrives whole, keep-alive and all`, async (t) => {
    const server = kind.make()
    const sockets = new Set<Socket>()
    server.on('request', (request, response) => {
      sockets.add(request.socket)
      for (let i = 0; i < 16; i++) response.write(CHUNK)
      response.end('the end')
    })
    wrapServer(server, LIMIT)
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const client = encrypted(kind) ? https : http
    const agent = new client.Agent({ keepAlive: true, maxSockets: 1 })
    const options = { port: (server.address() as AddressInfo).port, host: '127.0.0.1', agent, ca: cert }
    for (const round of [1, 2]) {
      const [response] = (await once(client.get(options), 'response')) as [http.IncomingMessage]
      let bytes = 0
      for await (const chunk of response) bytes += chunk.length
      t.equal(bytes, 16 * CHUNK.length + 7, `response ${round}`)
    }
    t.equal(sockets.size, 1)
    for (const socket of sockets) {
      const { failed, overLimit, pending } = socketStatus(socket)
      t.same({ failed, pending }, { failed: 0, pending: 0 })
      t.ok(overLimit > 0)
    }
    agent.destroy()
    server.close()
  })
}

t.test(
  'a connection over a Unix domain socket is counted as such',
  { skip: process.platform === 'win32' },
  async (t) => {
    const server = net.createServer()
    wrapServer(server, LIMIT)
    await once(server.listen(join(tmpdir(), `sendfail-${process.pid}.sock`)), 'listening')
    const accepted = once(server, 'connection')
    const client = net.connect(server.address() as string)
    const [socket] = await accepted
    t.match(series(null, 'unix').connections, { ok: 1 })
    client.destroy()
    socket.destroy()
    server.close()
  },
)

t.test(
  'a net server that hands its connections to an http server: they are observed from then on',
  async (t) => {
    const front = net.createServer()
    const behind = http.createServer((_request, response) => response.end(Buffer.alloc(4 * CHUNK.length)))
    front.on('connection', (socket) => behind.emit('connection', socket))
    wrapServer(front, LIMIT)
    wrapServer(behind, 2 * LIMIT)
    await once(front.listen(0, '127.0.0.1'), 'listening')
    const accepted = once(front, 'connection')
    const request = http.get({ port: (front.address() as AddressInfo).port, host: '127.0.0.1', agent: false })
    const [[socket], [response]] = await Promise.all([accepted, once(request, 'response')])
    let bytes = 0
    for await (const chunk of response) bytes += chunk.length
    t.equal(bytes, 4 * CHUNK.length)
    t.match(socketStatus(socket), { limitBytes: 2 * LIMIT, failed: 0 })
    front.close()
  },
)

t.test('a stream that is no socket, emitted as a connection, warns and stays bare', async (t) => {
  const server = http.createServer()
  wrapServer(server, LIMIT)
  const duplex = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() })
  const own = Reflect.ownKeys(duplex)
  const warnings = await warningOf(async () => server.emit('connection', duplex))
  t.match(warnings, [{ code: 'ERR_SEND_FAIL_SOCKET' }])
  t.notOk(Reflect.ownKeys(duplex).some((key) => !own.includes(key) && String(key).includes('sendfail')))
  duplex.destroy()
})

t.test('an http2 server is refused, and told why', async (t) => {
  for (const server of [http2.createServer(), http2.createSecureServer(TLS)]) {
    t.throws(() => wrapServer(server, LIMIT), {
      name: 'TypeError',
      code: 'ERR_SEND_FAIL_SERVER',
      message: /own its sockets.*Http2(Secure)?Server/,
    })
  }
})

t.test('anything else is refused by name', async (t) => {
  for (const [wrong, name] of [
    [undefined, 'undefined'],
    [null, 'null'],
    ['a server', "'a server'"],
    [{}, 'an object \\(Object\\)'],
    [new net.Socket(), 'an object \\(Socket\\)'],
  ] as const) {
    t.throws(() => wrapServer(wrong as never, LIMIT), {
      name: 'TypeError',
      code: 'ERR_SEND_FAIL_SERVER',
      message: new RegExp(`server must be .*; received ${name}$`),
    })
  }
})

t.test('a wrong limit is refused when the server is wrapped, and leaves it as it was', async (t) => {
  const server = net.createServer()
  for (const [limit, name, code] of [
    [0, 'RangeError', 'ERR_SEND_FAIL_LIMIT'],
    ['1', 'TypeError', 'ERR_SEND_FAIL_LIMIT'],
    [{ onFull: 'explode' }, 'RangeError', 'ERR_SEND_FAIL_OPTION'],
  ] as const) {
    t.throws(() => wrapServer(server, limit as never), { name, code })
  }
  t.equal(server.listenerCount('connection'), 0)
})

t.test('without a limit a connection has the default', async (t) => {
  const server = net.createServer()
  wrapServer(server)
  const { socket } = await connect(t, KINDS[0], server)
  t.equal(socketStatus(socket).limitBytes, 1024 * 1024)
})

t.test('a handle can be disposed of', async (t) => {
  const server = net.createServer()
  const handle: ServerHandle<net.Server> = wrapServer(server)
  handle[Symbol.dispose]()
  t.equal(server.listenerCount('connection'), 0)
  t.not(wrapServer(server), handle)
})

t.test('the version in the source is that of package.json', async (t) => {
  t.equal(VERSION, version)
})
