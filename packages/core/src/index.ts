export { adviceFor } from './advice.ts'
export type { ErrorFacts } from './closer.ts'
export { innerDoor, putDoor, takeDoor } from './doors.ts'
export { type Endpoints, endpoint, listeningOn } from './endpoints.ts'
export { type ErrorCode, type FailureFacts, SendFailError, show, wrongType } from './errors.ts'
export { GUARD, Guard } from './guard.ts'
export { DEFAULT_MAX_SEND_BUFFER_SIZE } from './limit.ts'
export type { BufferMessage, FailMessage } from './notice.ts'
export { type Admission, givenOptions, type OnFull, type Policy, type WrapOptions } from './options.ts'
export {
  type Closer,
  FAILURE_KINDS,
  type FailureKind,
  RECEIVERS,
  type Reason,
  type Receiver,
  type ReceiverState,
  type Stage,
} from './reason.ts'
export { Registry, registry } from './registry.ts'
export type { SendCallback } from './reporting.ts'
export { type NetworkTransport, type ProtocolName, Series, type SeriesKey } from './series.ts'
export { guardServer, type ServerHandle, type ServerKind, type ServerLimit } from './server.ts'
export {
  type FailureCount,
  failuresIn,
  type Outcomes,
  type SeriesStatus,
  type Snapshot,
  type SocketStatus,
  snapshot,
  socketStatus,
  statusOf,
} from './status.ts'
export { streamTransport } from './stream-transport.ts'
export type { Transport } from './transport.ts'
export type { BacklogStatus } from './waiting.ts'
export type { Watcher } from './watcher.ts'
export type { WebSocketLike } from './websocket-send.ts'
export {
  guardSocket,
  setDefaultMaxSendBufferSize,
  unwrapSocket,
  type WrappableSocket,
  wrapSocket,
} from './wrap.ts'
