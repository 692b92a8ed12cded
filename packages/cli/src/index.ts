export type { StatusHandle } from './publication.ts'
export { type PublishOptions, publishStatus } from './publish.ts'
