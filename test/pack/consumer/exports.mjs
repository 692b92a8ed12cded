// An ES module that uses every package.
import assert from 'node:assert/strict'
import * as core from '@sendfail/core'
import * as net from '@sendfail/net'
import * as otel from '@sendfail/otel'
import * as uws from '@sendfail/uws'
import * as ws from '@sendfail/ws'
import * as status from 'sendfail'

for (const [name, namespace] of Object.entries({ core, net, otel, status, uws, ws })) {
  assert.notEqual(Object.keys(namespace).length, 0, `${name} exports something`)
}
console.log(
  JSON.stringify([core, net, otel, status, uws, ws].map((namespace) => Object.keys(namespace).sort())),
)
