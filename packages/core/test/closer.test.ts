import { test } from 'tap'
import { closerOf, reasonAfter } from '../src/closer.ts'

const error = (facts: object) => Object.assign(new Error('gone'), facts)
const PEER_GONE = ['ECONNRESET', 'EPIPE']
const PATH_GONE = ['ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH', 'ENETDOWN']

test('closerOf is client once the peer has closed, whatever error follows', async (t) => {
  for (const code of [...PEER_GONE, ...PATH_GONE, 'EPROTO', undefined])
    for (const established of [true, false])
      t.equal(closerOf(error({ code }), true, established), 'client', `${code}`)
  t.equal(closerOf(null, true, true), 'client', 'no error')
})

test('closerOf is server without an error', async (t) => {
  t.equal(closerOf(null, false, true), 'server')
  t.equal(closerOf(null, false, false), 'server')
})

for (const code of PEER_GONE) {
  test(`closerOf is client for ${code}, and server on a connection that stands`, async (t) => {
    t.equal(closerOf(error({ code, syscall: 'read', errno: -104 }), false, false), 'client')
    t.equal(closerOf(error({ code, syscall: 'read', errno: -104 }), false, true), 'server')
  })
}

for (const code of PATH_GONE) {
  test(`closerOf is timeout for ${code}, and server on a connection that stands`, async (t) => {
    t.equal(closerOf(error({ code, syscall: 'read' }), false, false), 'timeout')
    t.equal(closerOf(error({ code, syscall: 'read' }), false, true), 'server')
  })
}

for (const [name, facts] of [
  ['an error number', { errno: -5, code: 'EIO' }],
  ['a system call', { syscall: 'connect', code: 'ECONNREFUSED' }],
  ['EPROTO', { code: 'EPROTO' }],
  ['ERR_SSL_ALERT', { code: 'ERR_SSL_ALERT' }],
  ['ERR_TLS_CERT_ALTNAME_INVALID', { code: 'ERR_TLS_CERT_ALTNAME_INVALID' }],
] as const) {
  test(`closerOf is error for an error with ${name}`, async (t) => {
    t.equal(closerOf(error(facts), false, false), 'error')
  })
}

for (const [name, facts] of [
  ['no code', {}],
  ['a code of the application', { code: 'E_MINE' }],
  ['a code that only contains one of TLS', { code: 'MY_ERR_TLS_X' }],
  ['EPROTO_X', { code: 'EPROTO_X' }],
  ['a number as code', { code: 7 }],
] as const) {
  test(`closerOf is server for an error with ${name}: code of this process destroyed it`, async (t) => {
    t.equal(closerOf(error(facts), false, false), 'server')
  })
}

test('reasonAfter names the reason for what is lost', async (t) => {
  t.equal(reasonAfter('client', 'lost'), 'client_closed')
  t.equal(reasonAfter('server', 'lost'), 'server_closed')
  t.equal(reasonAfter('limit', 'lost'), 'buffer_full')
  t.equal(reasonAfter('timeout', 'lost'), 'timed_out')
  t.equal(reasonAfter('error', 'lost'), '_OTHER')
})

test('reasonAfter never reports a closed socket as full', async (t) => {
  t.equal(reasonAfter('client', 'refused'), 'client_closed')
  t.equal(reasonAfter('server', 'refused'), 'server_closed')
  t.equal(reasonAfter('limit', 'refused'), 'server_closed')
  t.equal(reasonAfter('timeout', 'refused'), 'timed_out')
  t.equal(reasonAfter('error', 'refused'), '_OTHER')
})
