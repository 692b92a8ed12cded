import { type MeterProvider, metrics } from '@opentelemetry/api'
import { registry } from '@sendfail/core'
import { bindMeter } from './binding.ts'
import { state } from './state.ts'

/*
 * The search for a meter provider. The API has no proxy provider: a meter taken before the SDK is registered stays dead,
 * and nothing tells when one is. So it is looked for whenever there is a chance, until every meter is bound:
 *
 *   an adapter is imported ─┐
 *   a socket is wrapped ────┤
 *   a send fails ───────────┼──▶ search ──▶ every meter bound? ──yes──▶ waker and timer off
 *   the timer ──────────────┤                     └─no──▶ waker on, timer on: after 1 s, 2 s, 4 s, … 30 s
 *   bindMetrics() ──────────┘
 */

const FIRST_DELAY_MS = 1_000
const LAST_DELAY_MS = 30_000

let timer: NodeJS.Timeout | null = null
let delayMs = FIRST_DELAY_MS
/** The provider that was last found to be of no use: a failing send must not try it again and again. */
let useless: MeterProvider | null = null

/** Binds what is unbound if there is a provider now; otherwise goes on looking. */
export function search(): void {
  const provider = currentProvider()
  const bound = !state.enabled || bindAll(provider, false)
  if (bound) return stop()
  useless = provider
  registry.wakers.add(wake)
  if (timer === null) schedule()
}

/** Binds every meter to `provider`; those that are bound elsewhere only if they are to `move`. */
export function bindAll(provider: MeterProvider, move: boolean): boolean {
  let all = true
  for (const one of state.meters.values()) {
    if (move || one.provider === null) all = bindMeter(one, provider) && all
  }
  return all
}

function currentProvider(): MeterProvider {
  return state.provider ?? metrics.getMeterProvider()
}

/** Called by core; looks up one global while there is nothing new. */
function wake(): void {
  if (currentProvider() !== useless) search()
}

function stop(): void {
  registry.wakers.delete(wake)
  if (timer !== null) clearTimeout(timer)
  timer = null
  delayMs = FIRST_DELAY_MS
}

/** Does not keep the process alive. */
function schedule(): void {
  timer = setTimeout(() => {
    timer = null
    delayMs = Math.min(2 * delayMs, LAST_DELAY_MS)
    search()
  }, delayMs).unref()
}
