// The facts of the suite with SDK 3, on a Node that it runs on. Node strips the types itself; the packages are resolved
// from the folder in the argument, where `run.ts` has put the built ones beside SDK 3.
//   node program.ts <folder>
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { FACTS, type Subject } from '../otel/contract.ts'

const [folder] = process.argv.slice(2) as [string]
const resolver = createRequire(join(folder, 'here.js'))
const load = async (name: string) => import(pathToFileURL(resolver.resolve(name)).href)

const versionOf = (name: string): string =>
  JSON.parse(readFileSync(join(folder, 'node_modules', name, 'package.json'), 'utf8')).version

const subject = {
  api: resolver('@opentelemetry/api'),
  sdk: resolver('@opentelemetry/sdk-metrics'),
  net: await load('@sendfail/net'),
  otel: await load('@sendfail/otel'),
  ws: await load('@sendfail/ws'),
  peer: resolver('ws'),
  version: versionOf('@sendfail/net'),
} as Subject

let failed = 0
for (const [fact, check] of Object.entries(FACTS)) {
  try {
    await check(subject)
    console.log(`ok - ${fact}`)
  } catch (error) {
    failed++
    console.log(`not ok - ${fact}`)
    console.error(error)
  }
}
console.log(
  `SDK ${versionOf('@opentelemetry/sdk-metrics')}, API ${versionOf('@opentelemetry/api')}, Node ${process.version}: ` +
    `${Object.keys(FACTS).length - failed} passed, ${failed} failed`,
)
process.exitCode = failed > 0 ? 1 : 0
