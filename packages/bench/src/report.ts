import { availableParallelism, cpus, loadavg } from 'node:os'
import type { AllocationResult } from './measures/allocation.ts'
import type { CpuResult } from './measures/cpu.ts'
import type { ListingResult } from './measures/listing.ts'
import type { SocketsResult } from './measures/sockets.ts'
import type { Options } from './options.ts'
import type { Spread } from './statistics.ts'

/** Where the figures come from; a load above one or two says that something else ran. */
export interface Environment {
  readonly node: string
  readonly cpu: string
  readonly cores: number
  readonly loadBefore: number
  readonly loadAfter: number
}

/** What `--json` prints; a measure that was not asked for is an empty list. */
export interface Report {
  readonly environment: Environment
  readonly options: Options
  readonly cpu: readonly CpuResult[]
  readonly stub: readonly CpuResult[]
  readonly allocation: readonly AllocationResult[]
  readonly sockets: readonly SocketsResult[]
  readonly listing: readonly ListingResult[]
}

export function environment(loadBefore: number): Environment {
  return {
    node: process.version,
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    loadBefore,
    loadAfter: load(),
  }
}

/** The load of the last minute: https://nodejs.org/api/os.html#osloadavg */
export function load(): number {
  return loadavg()[0] as number
}

/** The report as tables for people. */
export function render({ environment: machine, options, ...results }: Report): string {
  const { node, cpu, cores, loadBefore, loadAfter } = machine
  const { data, launches, mode, rounds } = options
  const parts = [
    `Node ${node}, ${cpu}, ${cores} cores, load ${fixed(loadBefore, 2)} before and ${fixed(loadAfter, 2)} after\n` +
      `messages are ${data}s; mode ${mode}; ${launches} launches of ${rounds} rounds; median [quartiles]`,
  ]
  const cpuHead = ['socket', 'size', 'bare', 'guarded/bare', 'bare/bare', 'added', 'turns with backlog']
  if (results.cpu.length > 0)
    parts.push(table('CPU per message of the sending process', cpuHead, results.cpu.map(cpuRow)))
  if (results.stub.length > 0)
    parts.push(
      table(
        'The same on a stub that takes every message: JavaScript only',
        cpuHead,
        results.stub.map(cpuRow),
      ),
    )
  const heapHead = ['socket', 'size', 'bare', 'guarded - bare', 'bare - bare', 'rounds']
  if (results.allocation.length > 0)
    parts.push(table('Heap bytes allocated per send', heapHead, results.allocation.map(allocationRow)))
  const socketsHead = ['socket', 'connections', 'bare', 'guard adds', 'after a send', 'time to wrap', 'cold']
  if (results.sockets.length > 0)
    parts.push(
      table('Heap per connection, and the time to wrap one', socketsHead, results.sockets.map(socketsRow)),
    )
  const listingHead = [
    'connections',
    'real',
    'answer',
    'took',
    'longest turn',
    'nobody asking',
    'asked for status',
  ]
  if (results.listing.length > 0)
    parts.push(
      table(
        'A process that is listed: the longest turn of its event loop',
        listingHead,
        results.listing.map(listingRow),
      ),
    )
  return `${parts.join('\n\n')}\n`
}

function cpuRow({
  addedNanos,
  backlogged,
  bareMicros,
  control,
  ratio,
  size,
  transport,
}: CpuResult): string[] {
  const added = `${fixed(addedNanos, 0)} ns`
  const share = `${fixed(100 * backlogged, 1)} %`
  return [
    transport,
    bytes(size),
    `${fixed(bareMicros, 3)} µs`,
    spread(ratio, 3),
    spread(control, 3),
    added,
    share,
  ]
}

function allocationRow(result: AllocationResult): string[] {
  const { addedBytes, bareBytes, controlBytes, rounds, size, transport } = result
  const bare = fixed(bareBytes.median, 0)
  return [transport, bytes(size), bare, spread(addedBytes, 2), spread(controlBytes, 2), String(rounds)]
}

function socketsRow(result: SocketsResult): string[] {
  const {
    bareHeapBytes,
    connections,
    coldWrapMicros,
    transport,
    usedHeapBytes,
    wrapMicros,
    wrappedHeapBytes,
  } = result
  const heaps = [bareHeapBytes, wrappedHeapBytes, usedHeapBytes].map((heap) => `${fixed(heap, 0)} B`)
  const times = [wrapMicros, coldWrapMicros].map((micros) => `${fixed(micros, 2)} µs`)
  return [transport, String(connections), ...heaps, ...times]
}

function listingRow({
  bytes: size,
  connections,
  listedMs,
  quietMs,
  real,
  statusMs,
  tookMs,
}: ListingResult): string[] {
  const times = [tookMs, listedMs, quietMs, statusMs].map((one) => `${spread(one, 1)} ms`)
  return [String(connections), String(real), bytes(size), ...times]
}

function table(title: string, head: readonly string[], rows: readonly string[][]): string {
  const lines = [head, ...rows]
  const widths = head.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length)))
  const text = lines.map((line) =>
    line
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
  return [title, ...text].join('\n')
}

function spread({ low, median, high }: Spread, digits: number): string {
  return `${fixed(median, digits)} [${fixed(low, digits)} ${fixed(high, digits)}]`
}

function bytes(size: number): string {
  return size < 1024 ? `${size} B` : `${Math.round(size / 1024)} KiB`
}

function fixed(value: number, digits: number): string {
  return value.toFixed(digits)
}
