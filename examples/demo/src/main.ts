import { Demo } from './demo.ts'
import { exportedMetrics } from './exported.ts'
import { failures, introduction, memory, result } from './report.ts'
import { Screen } from './screen.ts'

// Exit codes: 0 all is well, 1 something is wrong, 130 interrupted (128 + SIGINT, as shells have it).
const INTERRUPTED = 130

const screen = new Screen(process.stdout)
const { paint } = screen
const demo = new Demo(screen)
let interrupted = false

function interrupt(): void {
  if (interrupted) process.exit(INTERRUPTED) // the second time: at once
  interrupted = true
  demo.interrupt()
}

process.on('SIGINT', interrupt)
process.on('SIGTERM', interrupt)
process.stdout.on('error', () => process.exit(1)) // nobody reads any more: `pnpm demo | head`

screen.print(introduction(paint))
try {
  const { bare, books, complaints, limited, table } = await demo.run()
  screen.finish()
  screen.print([
    '',
    paint('bold', interrupted ? 'The clients when the demo was interrupted' : 'The clients at the end'),
    ...table,
    '',
    ...failures(books.snapshot, paint),
    ...memory(limited, bare, paint),
    ...exportedMetrics(books.exported ?? [], paint),
    ...result(books, complaints, paint),
  ])
  process.exitCode = complaints.length > 0 ? 1 : interrupted ? INTERRUPTED : 0
} catch (error) {
  process.stderr.write(`demo: ${error instanceof Error ? error.message : error}\n`)
  process.exit(1) // a run that failed in one place may still be waiting in another
}
