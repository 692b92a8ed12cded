import { readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { publishStatus } from 'sendfail'

// Publishes and ends; prints how many files it made, and which packages beside ours were loaded for it.
const { SENDFAIL_STATUS_DIR: directory = '' } = process.env
const modules = createRequire(import.meta.url).cache
const before = new Set(Object.keys(modules))
await publishStatus({ name: 'only' }).ready
const loaded = Object.keys(modules).filter((file) => !before.has(file))
const others = loaded.filter((file) => file.includes('node_modules'))
console.log(JSON.stringify({ others, files: readdirSync(directory).length }))
