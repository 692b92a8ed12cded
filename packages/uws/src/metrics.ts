import { exportMetrics } from '@sendfail/otel'
import { VERSION } from './version.ts'

exportMetrics({ meter: '@sendfail/uws', version: VERSION, protocols: ['websocket'] })
