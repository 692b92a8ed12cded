import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'tap'
import { z } from 'zod'
import {
  closedDocument,
  connectionDocument,
  connectionsDocument,
  statusDocument,
} from '../../src/cli/documents.ts'

const file = new URL('../../../../docs/status.schema.json', import.meta.url)

test('docs/status.schema.json describes what --json prints (UPDATE_SCHEMA=1 writes it)', async (t) => {
  const documents = [statusDocument, connectionsDocument, closedDocument, connectionDocument]
  const schema = z.toJSONSchema(z.union(documents))
  const { UPDATE_SCHEMA } = process.env
  if (UPDATE_SCHEMA === '1') writeFileSync(file, `${JSON.stringify(schema, null, 2)}\n`)
  t.same(JSON.parse(readFileSync(file, 'utf8')), JSON.parse(JSON.stringify(schema)))
})
