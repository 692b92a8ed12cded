import { executionAsyncResource } from 'node:async_hooks'
import { GUARD, innerDoor } from '@sendfail/core'
import { checkSwift, type Guarded, stateOf } from './socket.ts'

type Cork = (this: Guarded, ...args: unknown[]) => unknown

/**
 * uWS corks a connection while a handler of it runs and uncorks it some time after the handler, and what that queued as
 * microtasks and ticks, has returned; nothing tells when. By the check phase of the event loop it has happened: the
 * handlers are called while it polls. https://nodejs.org/en/learn/asynchronous-work/event-loop-timers-and-nexttick
 */
const corkedByHandler: Guarded[] = []

/** A handler of the connection is about to run. */
export function entering(ws: Guarded): void {
  const state = ws[GUARD] === undefined ? null : stateOf(ws)
  if (state === null || state.corked !== null || state.closed) return
  state.corked = 'handler'
  ws[GUARD].swift = false
  if (corkedByHandler.push(ws) === 1) setImmediate(uncorked)
}

function uncorked(): void {
  for (const ws of corkedByHandler) flushed(ws)
  corkedByHandler.length = 0
}

const probe = setImmediate(() => {})
const Immediate = probe.constructor
clearImmediate(probe)

/**
 * Is uWS corked for the connection, or may it be? An immediate that was queued before {@link uncorked} runs before it, but
 * like that in the check phase: there no handler is under way.
 */
export function isCorked(ws: Guarded): boolean {
  const { corked } = stateOf(ws)
  if (corked === 'handler' && (executionAsyncResource() as object | undefined)?.constructor === Immediate)
    flushed(ws)
  return stateOf(ws).corked !== null
}

/** Was the cork all that kept a send from the short way, and is it over? */
export function isUncorked(ws: Guarded): boolean {
  return stateOf(ws).corked === 'handler' && !isCorked(ws) && ws[GUARD].swift
}

/** What was in the cork buffer has gone to the operating system, or into what uWS holds. */
function flushed(ws: Guarded): void {
  const guard = ws[GUARD]
  if (guard === undefined) return
  const state = stateOf(ws)
  state.corked = null
  state.corkedBytes = 0
  guard.settle()
  checkSwift(ws)
}

/** Corked by the user. Within a handler uWS is corked before and stays so after the call. */
export function guardedCork(this: Guarded, ...args: unknown[]): unknown {
  const guard = this[GUARD]
  const inner = innerDoor(this, guard, 'cork') as Cork
  if (guard === undefined || stateOf(this).corked !== null) return inner.apply(this, args)
  stateOf(this).corked = 'call'
  guard.swift = false
  try {
    return inner.apply(this, args)
  } finally {
    flushed(this)
  }
}
