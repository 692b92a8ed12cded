import { readFileSync } from 'node:fs'
import * as api from '@opentelemetry/api'
import * as sdk from '@opentelemetry/sdk-metrics'
import * as net from '@sendfail/net'
import * as otel from '@sendfail/otel'
import * as ws from '@sendfail/ws'
import t from 'tap'
import * as peer from 'ws'
import { FACTS } from './contract.ts'

const manifest = new URL('../../packages/net/package.json', import.meta.url)
const { version } = JSON.parse(readFileSync(manifest, 'utf8'))

for (const [fact, check] of Object.entries(FACTS)) {
  t.test(`SDK 2: ${fact}`, () => check({ api, sdk, net, otel, ws, peer, version }))
}
