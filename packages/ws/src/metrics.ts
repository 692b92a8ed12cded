import { exportMetrics } from '@sendfail/otel'
import { VERSION } from './version.ts'

exportMetrics({ meter: '@sendfail/ws', version: VERSION, protocols: ['websocket'] })
