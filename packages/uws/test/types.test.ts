import { type SendFailError, socketStatus, wrapApp, wrapBehavior, wrapSocket } from '@sendfail/uws'
import type * as Native from '@trufflesuite/uws-js-unofficial'
import { test } from 'tap'

// Compiled, never run: the types of 20.30, and those of the newest builds where they differ. Newer builds are on GitHub
// only, so what differs is said again here, by the declarations of November 2026.

interface User {
  readonly id: number
}

/** Fragments return numbers, text may be any view, there is a port, and `closeOnBackpressureLimit` is a boolean. */
interface NewestWebSocket<UserData>
  extends Omit<Native.WebSocket<UserData>, FragmentName | 'cork' | 'publish' | 'send'> {
  send(message: NewestString, isBinary?: boolean, compress?: boolean): 0 | 1 | 2
  sendFirstFragment(message: NewestString, isBinary?: boolean, compress?: boolean): number
  sendFragment(message: NewestString, compress?: boolean): number
  sendLastFragment(message: NewestString, compress?: boolean): number
  publish(topic: NewestString, message: NewestString, isBinary?: boolean, compress?: boolean): boolean
  cork(cb: () => void): NewestWebSocket<UserData>
  getRemotePort(): number
}
type FragmentName = 'sendFirstFragment' | 'sendFragment' | 'sendLastFragment'
type NewestString = string | ArrayBuffer | SharedArrayBuffer | ArrayBufferView

interface NewestBehavior<UserData> {
  maxPayloadLength?: number
  closeOnBackpressureLimit?: boolean
  maxLifetime?: number
  idleTimeout?: number
  compression?: number
  maxBackpressure?: number
  sendPingsAutomatically?: boolean
  upgrade?: (res: Native.HttpResponse, req: Native.HttpRequest, context: object) => void | Promise<void>
  open?: (ws: NewestWebSocket<UserData>) => void | Promise<void>
  message?: (ws: NewestWebSocket<UserData>, message: ArrayBuffer, isBinary: boolean) => void | Promise<void>
  dropped?: (ws: NewestWebSocket<UserData>, message: ArrayBuffer, isBinary: boolean) => void | Promise<void>
  drain?: (ws: NewestWebSocket<UserData>) => void
  close?: (ws: NewestWebSocket<UserData>, code: number, message: ArrayBuffer) => void
  ping?: (ws: NewestWebSocket<UserData>, message: ArrayBuffer) => void
  pong?: (ws: NewestWebSocket<UserData>, message: ArrayBuffer) => void
  subscription?: (ws: NewestWebSocket<UserData>, topic: ArrayBuffer, now: number, before: number) => void
}

interface NewestApp {
  ws<UserData>(pattern: NewestString, behavior: NewestBehavior<UserData>): NewestApp
  publish(topic: NewestString, message: NewestString, isBinary?: boolean, compress?: boolean): boolean
}

export function withNative(
  app: Native.TemplatedApp,
  behavior: Native.WebSocketBehavior<User>,
): Native.TemplatedApp {
  const same: Native.WebSocketBehavior<User> = wrapBehavior(behavior, 1024)
  const inline: Native.WebSocketBehavior<User> = wrapBehavior<Native.WebSocketBehavior<User>>({
    open: (ws) => void ws.getUserData().id.toFixed(),
    message: (ws, message, isBinary) => void ws.send(message, isBinary),
  })
  const told = {
    onSendFail: (failure: SendFailError, ws: Native.WebSocket<User>) => [failure.reason, ws.getUserData().id],
  }
  return wrapApp(app)
    .ws<User>('/a', same)
    .ws<User>('/b', inline)
    .ws<User>('/c', wrapBehavior(behavior, told))
    .ws<User>('/d', { open: (ws) => void socketStatus(wrapSocket(ws, 1024)).failed })
}

export function withNewest(app: NewestApp, behavior: NewestBehavior<User>): NewestApp {
  const same: NewestBehavior<User> = wrapBehavior(behavior, { maxSendBufferSize: 1024, onFull: 'close' })
  const inline: NewestBehavior<User> = wrapBehavior<NewestBehavior<User>>({
    open: (ws) => void wrapSocket(ws, 1024).getRemotePort(),
    dropped: (ws, message) => void ws.send(message),
  })
  return wrapApp(app).ws<User>('/a', same).ws<User>('/b', inline)
}

export function wrong(behavior: Native.WebSocketBehavior<User>, ws: Native.WebSocket<User>): void {
  // @ts-expect-error a limit is a number or options
  wrapBehavior(behavior, 'much')
  // @ts-expect-error no such option
  wrapBehavior(behavior, { maxBufferSize: 1 })
  // @ts-expect-error handlers are functions
  wrapBehavior({ open: 7 })
  // @ts-expect-error a WebSocket has more methods
  wrapSocket({ send: () => 1 })
  // @ts-expect-error a behavior is no app
  wrapApp(behavior)
  // @ts-expect-error the WebSocket keeps its type
  wrapSocket(ws).getUserData().name
}

test('the types fit those of uWebSockets.js 20.30 and of the newest builds', async (t) => {
  t.type(withNative, 'function')
  t.type(withNewest, 'function')
  t.type(wrong, 'function')
})
