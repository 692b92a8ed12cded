export {
  type Admission,
  adviceFor,
  type BufferMessage,
  type Closer,
  DEFAULT_MAX_SEND_BUFFER_SIZE,
  type ErrorCode,
  type FailMessage,
  type FailureCount,
  type FailureFacts,
  type FailureKind,
  type NetworkTransport,
  type OnFull,
  type Outcomes,
  type ProtocolName,
  type Reason,
  type Receiver,
  type ReceiverState,
  SendFailError,
  type SeriesStatus,
  type Snapshot,
  type SocketStatus,
  type Stage,
  setDefaultMaxSendBufferSize,
  snapshot,
  socketStatus,
  unwrapSocket,
  type WrapOptions,
} from '@sendfail/core'
export { bindMetrics, configureMetrics, type MetricAttribute, type MetricOptions } from '@sendfail/otel'
export { type UwsBehaviorLike, wrapBehavior } from './behavior.ts'
export { type UwsAppLike, wrapApp } from './publish.ts'
export type { UwsWebSocketLike } from './socket.ts'
export { wrapSocket } from './wrap.ts'
