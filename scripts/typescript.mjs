// Lets Node 20 run the workspace's TypeScript as it stands, the way the test runner does:
//   node --conditions=@sendfail/source --import=./scripts/typescript.mjs file.ts
import { fileURLToPath } from 'node:url'

process.env.TS_NODE_PROJECT ??= fileURLToPath(new URL('../tsconfig.tap.json', import.meta.url))
process.env.TS_NODE_TRANSPILE_ONLY ??= '1'
await import('@tapjs/typescript/import')
