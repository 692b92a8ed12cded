import { measureAllocation } from './measures/allocation.ts'
import { type CpuResult, measureCpu } from './measures/cpu.ts'
import { measureListing } from './measures/listing.ts'
import { measureSockets } from './measures/sockets.ts'
import { HELP, type Options, readOptions } from './options.ts'
import { environment, load, type Report, render } from './report.ts'
import type { TransportName } from './transport.ts'

const options = readOptions(process.argv.slice(2))
if (options === null) process.stdout.write(HELP)
else {
  const report = await run(options)
  process.stdout.write(options.json ? `${JSON.stringify(report, null, 2)}\n` : render(report))
}

async function run(given: Options): Promise<Report> {
  const { measures, sizes, sockets, transports } = given
  const loadBefore = load()
  const real = transports.filter((transport) => !transport.startsWith('stub'))
  const cpu = (on: readonly TransportName[], ofSizes: readonly number[]) =>
    each(on, ofSizes, (one, size) => measureCpu(one, size, given))
  const results = {
    cpu: measures.includes('cpu') ? await cpu(transports, sizes) : [],
    stub: measures.includes('stub')
      ? await cpu(['stub-net', 'stub-ws'], [Math.min(...sizes)])
      : ([] as CpuResult[]),
    allocation: measures.includes('allocation')
      ? await each(transports, sizes, (one, size) => measureAllocation(one, size, given))
      : [],
    sockets: measures.includes('sockets')
      ? await each(real, [sockets], (one, connections) => measureSockets(one, connections))
      : [],
    listing: measures.includes('listing') ? [await measureListing(given.listed)] : [],
  }
  return { environment: environment(loadBefore), options: given, ...results }
}

/** One after the other, and says on a terminal what it is at. */
async function each<R>(
  transports: readonly TransportName[],
  numbers: readonly number[],
  measure: (transport: TransportName, number: number) => Promise<R>,
): Promise<R[]> {
  const results: R[] = []
  for (const transport of transports) {
    for (const number of numbers) {
      if (process.stderr.isTTY) process.stderr.write(`\r\u001b[K${transport} ${number}`)
      results.push(await measure(transport, number))
    }
  }
  if (process.stderr.isTTY) process.stderr.write('\r\u001b[K')
  return results
}
