import { canonicalJson } from '../rating/pack-hash.ts'
import type { BookTerms } from './book.ts'
import type { MonthStretch } from './rate-month.ts'

/** Adds a day to the last stretch, or begins another when it is billed by something else. */
export function appendDay(stretches: readonly MonthStretch[], day: MonthStretch): MonthStretch[] {
  const last = stretches.at(-1)
  if (last === undefined || !billsAlike(last.terms, day.terms)) return [...stretches, day]
  const interval = { startMs: last.interval.startMs, endMs: day.interval.endMs }
  const remainder = [...last.remainder, ...day.remainder]
  return [...stretches.slice(0, -1), { ...last, interval, remainder }]
}

/** Groups are the same however their names are ordered, as they are after they were kept. */
function billsAlike(a: BookTerms, b: BookTerms): boolean {
  return a.packHash === b.packHash && canonicalJson(a.groups) === canonicalJson(b.groups)
}
