import { exportMetrics } from '@sendfail/otel'
import { VERSION } from './version.ts'

exportMetrics({ meter: '@sendfail/net', version: VERSION, protocols: [null, 'http'] })
