import type { SerializedError } from 'vitest'
import { DefaultReporter, type TestModule, type TestRunEndReason } from 'vitest/node'

/**
 * Ends every run with one line that says how many tests passed, failed and were skipped, and
 * before it why the skipped ones were.
 */
export default class SummaryReporter extends DefaultReporter {
  override onTestRunEnd(
    modules: readonly TestModule[],
    errors: readonly SerializedError[],
    reason: TestRunEndReason,
  ): void {
    super.onTestRunEnd(modules, errors, reason)
    const counts = { passed: 0, failed: errors.length, skipped: 0 }
    const notes = new Map<string, number>()
    for (const module of modules) {
      // A file that cannot be loaded has no tests; it counts as one failure.
      if (module.errors().length > 0) counts.failed += 1
      for (const test of module.children.allTests()) {
        const result = test.result()
        if (result.state === 'pending') continue
        counts[result.state] += 1
        if (result.state !== 'skipped') continue
        const note = result.note ?? `${test.fullName}: marked as skipped`
        notes.set(note, (notes.get(note) ?? 0) + 1)
      }
    }
    for (const [note, count] of notes) console.log(`skipped ${count}: ${note}`)
    console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`)
  }
}
