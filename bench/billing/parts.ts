import type { Figure } from '../support/figure.ts'
import { dailyClose } from './daily-close.ts'
import { largeAccount } from './large-account.ts'
import { monthClose } from './month-close.ts'
import { monthly95 } from './monthly-95.ts'

/** One part of the benchmark; it runs in a process and a directory of its own. */
export interface BillingPart {
  readonly name: string
  run(directory: string, say: (text: string) => void): Promise<readonly Figure[]>
}

/** All parts, in the order in which they run. */
export const PARTS: readonly BillingPart[] = [
  { name: 'monthly-95', run: monthly95 },
  { name: 'daily-close', run: dailyClose },
  { name: 'month-close', run: monthClose },
  { name: 'large-account', run: largeAccount },
]
