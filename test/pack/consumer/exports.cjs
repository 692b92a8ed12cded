// The CommonJS twin of exports.mjs.
const assert = require('node:assert/strict')
const core = require('@sendfail/core')
const net = require('@sendfail/net')
const otel = require('@sendfail/otel')
const uws = require('@sendfail/uws')
const ws = require('@sendfail/ws')
const status = require('sendfail')

for (const [name, namespace] of Object.entries({ core, net, otel, status, uws, ws })) {
  assert.notEqual(Object.keys(namespace).length, 0, `${name} exports something`)
}
const names = (namespace) =>
  Object.keys(namespace).filter((name) => name !== '__esModule' && name !== 'module.exports')
console.log(JSON.stringify([core, net, otel, status, uws, ws].map((namespace) => names(namespace).sort())))
