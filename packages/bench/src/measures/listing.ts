import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import net from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Child } from '../child.ts'
import { openFileLimit, SPARE_FILES } from '../files.ts'
import type { PublisherPlan, TurnsSample } from '../programs/publisher.ts'
import type { ReaderPlan } from '../programs/reader.ts'
import { type Spread, spreadOf } from '../statistics.ts'

/** What a listing of all connections does to the server that is listed: the longest turn of its event loop. */
export interface ListingResult {
  readonly connections: number
  /** How many of them are real; the rest are sockets that never connect. */
  readonly real: number
  readonly rows: number
  readonly bytes: number
  /** Of one listing. */
  readonly tookMs: Spread
  /** Longest turn while it was listed, and as long with nobody asking. */
  readonly listedMs: Spread
  readonly quietMs: Spread
  /** Longest turn while its status was asked for. */
  readonly statusMs: Spread
}

const ROUNDS = 7

export async function measureListing(wanted: number, rounds: number = ROUNDS): Promise<ListingResult> {
  const directory = mkdtempSync(join(tmpdir(), 'listing-'))
  Object.assign(process.env, { SENDFAIL_STATUS_DIR: directory })
  const real = Math.min(wanted, openFileLimit() - SPARE_FILES)
  const publisher = new Child('publisher', { connections: real, idle: wanted - real } satisfies PublisherPlan)
  const port = await publisher.next<number>()
  const plan: ReaderPlan = {
    transport: 'net',
    port,
    connections: real,
    acknowledgeBytes: Number.MAX_SAFE_INTEGER,
  }
  const reader = new Child('reader', plan)
  await reader.next()
  await publisher.ask({})
  const path = join(directory, readdirSync(directory).find((name) => name.endsWith('.sock')) ?? '')
  const turns = async () => (await publisher.ask<TurnsSample>({})).longestMs
  const quiet: number[] = []
  const listed: number[] = []
  const status: number[] = []
  const took: number[] = []
  let answer = ''
  for (let round = 0; round <= rounds; round++) {
    await turns()
    const begunMs = performance.now()
    answer = await ask(path, 'connections')
    const tookMs = performance.now() - begunMs
    const listedMs = await turns()
    await sleep(tookMs)
    const quietMs = await turns()
    await ask(path, 'status')
    const statusMs = await turns()
    if (round === 0) continue // runs code that is not optimised yet
    took.push(tookMs)
    listed.push(listedMs)
    quiet.push(quietMs)
    status.push(statusMs)
  }
  await Promise.all([publisher.stop(), reader.stop()])
  rmSync(directory, { recursive: true, force: true })
  return {
    connections: wanted,
    real,
    rows: answer.split('\n').length - 3,
    bytes: answer.length,
    tookMs: spreadOf(took),
    listedMs: spreadOf(listed),
    quietMs: spreadOf(quiet),
    statusMs: spreadOf(status),
  }
}

function ask(path: string, get: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let received = ''
    const socket = net.connect(path, () => socket.write(`{"v":1,"get":"${get}"}\n`))
    socket.setEncoding('utf8')
    socket.on('data', (text) => {
      received += text
    })
    socket.once('error', reject)
    socket.once('close', () => resolve(received))
  })
}
