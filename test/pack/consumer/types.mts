// Type-checked, never run: what a TypeScript user writes in an ES module.
import net from 'node:net'
import * as core from '@sendfail/core'
import * as netAdapter from '@sendfail/net'
import * as otel from '@sendfail/otel'
import * as uws from '@sendfail/uws'
import * as ws from '@sendfail/ws'
import * as status from 'sendfail'

export const used: object[] = [core, netAdapter, otel, status, uws, ws]
export const socket: net.Socket = core.wrapSocket(new net.Socket(), 1024 * 1024)

// @ts-expect-error a limit is a number or options: the types have arrived, nothing is any
core.wrapSocket(new net.Socket(), 'much')
// @ts-expect-error there is no such export
core.noSuchExport
