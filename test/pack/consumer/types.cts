// Type-checked, never run: what a TypeScript user writes in a CommonJS module.
import net = require('node:net')
import core = require('@sendfail/core')
import netAdapter = require('@sendfail/net')
import otel = require('@sendfail/otel')
import uws = require('@sendfail/uws')
import ws = require('@sendfail/ws')
import status = require('sendfail')

export const used: object[] = [core, netAdapter, otel, status, uws, ws]
export const socket: net.Socket = core.wrapSocket(new net.Socket(), 1024 * 1024)

// @ts-expect-error a limit is a number or options: the types have arrived, nothing is any
core.wrapSocket(new net.Socket(), 'much')
// @ts-expect-error there is no such export
core.noSuchExport
