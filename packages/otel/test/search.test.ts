import { mock } from 'node:test'
import {
  type BatchObservableCallback,
  createNoopMeter,
  type DiagLogger,
  DiagLogLevel,
  diag,
  type Meter,
  type MeterProvider,
  metrics,
} from '@opentelemetry/api'
import { MeterProvider as SdkProvider } from '@opentelemetry/sdk-metrics'
import { registry } from '@sendfail/core'
import { bindMetrics, configureMetrics, exportMetrics, SendFailInstrumentation } from '@sendfail/otel'
import t, { type Test } from 'tap'

// The facts about finding a provider, one after the other in one process. What a real SDK exports is shown by the suite
// of the workspace.

const SOURCE = { meter: '@sendfail/test', version: '1.2.3', protocols: [null] } as const

/** Counts how often it is asked, and makes what `meter` says. */
class Provider implements MeterProvider {
  asked = 0
  meter: () => Meter
  constructor(meter: () => Meter) {
    this.meter = meter
  }
  getMeter(): Meter {
    this.asked++
    return this.meter()
  }
}

const noop = (): Provider => new Provider(createNoopMeter)

function useGlobal(t: Test, provider: MeterProvider): void {
  metrics.setGlobalMeterProvider(provider)
  t.teardown(() => metrics.disable())
}

function logged(t: Test): unknown[][] {
  const errors: unknown[][] = []
  const silent = () => {}
  const error = (...args: unknown[]) => void errors.push(args)
  const logger: DiagLogger = { error, warn: silent, info: silent, debug: silent, verbose: silent }
  diag.setLogger(logger, DiagLogLevel.ERROR)
  t.teardown(() => diag.disable())
  return errors
}

t.test(
  'while there is only a no-op provider, it is asked after 1, 2, 4, 8, 16, 30 and again 30 s',
  async (t) => {
    const provider = noop()
    useGlobal(t, provider)
    mock.timers.enable({ apis: ['setTimeout'] })
    exportMetrics(SOURCE)
    t.equal(provider.asked, 1)
    for (const [at, seconds] of [1, 2, 4, 8, 16, 30, 30].entries()) {
      mock.timers.tick(seconds * 1000 - 1)
      t.equal(provider.asked, 1 + at, `not before ${seconds} s`)
      mock.timers.tick(1)
      t.equal(provider.asked, 2 + at, `after ${seconds} s`)
    }
    mock.timers.reset()
  },
)

t.test('a wrapped socket or a failure asks only a provider that was not asked before', async (t) => {
  const [first, second] = [noop(), noop()]
  useGlobal(t, first)
  for (let i = 0; i < 3; i++) registry.wake()
  t.equal(first.asked, 1)
  metrics.disable()
  metrics.setGlobalMeterProvider(second)
  for (let i = 0; i < 3; i++) registry.wake()
  t.same([first.asked, second.asked], [1, 1])
})

t.test('the no-op provider of another copy of the API is recognised', async (t) => {
  class NoopMeter {}
  t.equal(bindMetrics(new Provider(() => new NoopMeter() as Meter)), false)
})

t.test('a provider that throws is reported to the diagnostics logger, and the search goes on', async (t) => {
  const errors = logged(t)
  useGlobal(
    t,
    new Provider(() => {
      throw new Error('no meters today')
    }),
  )
  const { size } = registry.wakers
  for (let i = 0; i < 3; i++) registry.wake()
  t.match(errors, [[/@sendfail\/test/, { message: 'no meters today' }]])
  t.equal(errors.length, 1)
  t.equal(registry.wakers.size, size)
  new SendFailInstrumentation().setMeterProvider(metrics.getMeterProvider())
  t.match(errors[1], [/provider failed/, { message: 'no meters today' }])
})

t.test('something that is no provider is refused by name', async (t) => {
  for (const wrong of [null, 1, {}, 'global']) {
    t.throws(() => bindMetrics(wrong as never), {
      name: 'TypeError',
      code: 'ERR_SEND_FAIL_OPTION',
      message: /provider/,
    })
  }
})

t.test('options of configureMetrics and of the instrumentation are checked', async (t) => {
  for (const [options, message] of [
    [null, /options must be/],
    [7, /options must be/],
    [{ views: [] }, /an option must be attributes; received 'views'/],
    [{ attributes: ['url'] }, /attributes must be .* received 'url'/],
  ] as const) {
    t.throws(() => configureMetrics(options as never), {
      name: 'TypeError',
      code: 'ERR_SEND_FAIL_OPTION',
      message,
    })
  }
  t.throws(() => new SendFailInstrumentation({ attributes: ['url' as never] }), {
    code: 'ERR_SEND_FAIL_OPTION',
  })
})

t.test('the instrumentation has what the SDK calls', async (t) => {
  const instrumentation = new SendFailInstrumentation()
  t.match(instrumentation, {
    instrumentationName: '@sendfail/otel',
    instrumentationVersion: /^\d+\.\d+\.\d+/,
  })
  t.same(instrumentation.getConfig(), { enabled: true })
  t.equal(instrumentation.setTracerProvider(), undefined)
  t.equal(instrumentation.setLoggerProvider(), undefined)
  instrumentation.setConfig({ enabled: false })
  t.same(instrumentation.getConfig(), { enabled: false })
})

t.test('a disabled instrumentation binds when it is enabled', async (t) => {
  const provider = new SdkProvider()
  const instrumentation = new SendFailInstrumentation({ enabled: false })
  const { size } = registry.wakers
  instrumentation.setMeterProvider(provider)
  t.equal(registry.wakers.size, size, 'still looking')
  instrumentation.enable()
  t.equal(registry.wakers.size, size - 1, 'bound')
  instrumentation.disable()
  exportMetrics(SOURCE)
  t.equal(registry.wakers.size, size - 1, 'not looking either')
})

t.test('enabling an instrumentation that got no provider looks for the global one', async (t) => {
  const instrumentation = new SendFailInstrumentation()
  instrumentation.setMeterProvider(new Provider(createNoopMeter))
  instrumentation.enable()
  t.ok(bindMetrics(new SdkProvider()))
})

t.test('what goes wrong while observing ends in the diagnostics logger', async (t) => {
  const errors = logged(t)
  let observe: BatchObservableCallback = () => {}
  const meter = {
    createObservableCounter: () => ({}),
    createObservableUpDownCounter: () => ({}),
    addBatchObservableCallback: (callback: BatchObservableCallback) => {
      observe = callback
    },
    removeBatchObservableCallback: () => {},
  } as unknown as Meter
  t.equal(bindMetrics(new Provider(() => meter)), true)
  observe({
    observe() {
      throw new Error('the result is closed')
    },
  })
  t.match(errors, [['sendfail: @sendfail/test could not be observed', { message: 'the result is closed' }]])
  t.ok(bindMetrics(new SdkProvider()))
})
