import { z } from 'zod'
import { documented, mustBe, oneOf, quantity, section } from './pack-fields.ts'
import { OffersEntry, type PackageOffer } from './pack-offers.ts'
import { parseVolume } from './pack-quantities.ts'
import type { ArrearsPolicy } from './package-arrears.ts'
import { BURN_KEYS, type BurnKey, DEFAULT_BURN_ORDER } from './package-order.ts'

/** How prepaid packages are used up. */
export interface PackagePolicy {
  /** Ends with `id`, which always decides last. */
  readonly burnOrder: readonly BurnKey[]
  readonly arrears: ArrearsPolicy
  /** What can be bought. */
  readonly offers: readonly PackageOffer[]
}

const BurnOrder = z
  .array(oneOf(BURN_KEYS), { error: mustBe(`a list of ${BURN_KEYS.join(', ')}`) })
  .min(1, 'is empty; leave it out for the default')
  .refine((keys) => new Set(keys).size === keys.length, 'names something twice')
  .refine(
    (keys) => !(keys.includes('unlimited-first') && keys.includes('unlimited-last')),
    'has unlimited-first and unlimited-last; keep one of them',
  )
  .refine(
    (keys) => !keys.slice(0, -1).includes('id'),
    'has keys behind id, which leaves nothing for them to decide; put id last',
  )
  .transform((keys) => (keys.at(-1) === 'id' ? keys : [...keys, 'id' as const]))

const Quantum = quantity('a volume above 0 such as "1GiB"', (text) => {
  const bytes = parseVolume(text)
  return bytes === 0n ? undefined : bytes
})

/** `packages.arrears` as a file has it. */
export const ArrearsEntry = section(
  {
    absorb: documented(oneOf(['larger-package', 'never']).default('larger-package'), {
      description:
        '`larger-package`: a package bought later that is larger than the arrears takes them.',
      settles: 'Does a new package pay for what was used before it? All of it, or nothing.',
    }),
    bill: documented(oneOf(['daily-order', 'carry']).default('daily-order'), {
      description:
        '`daily-order`: what is left when the day is settled is ordered; `carry`: it waits on.',
      settles: 'What if no package comes? `carry` needs `absorb: larger-package`.',
    }),
    quantum: documented(Quantum.prefault('1B'), {
      value: 'volume above 0',
      description: 'Orders are whole multiples of this.',
      settles: 'Are arrears ordered by the byte or by the gigabyte? `1B`: by the byte.',
    }),
    rounding: documented(oneOf(['up', 'down', 'nearest']).default('down'), {
      description: 'How arrears become whole multiples of `quantum`.',
      settles: 'Is a started gigabyte billed? `down` favours the payer.',
    }),
  },
  'a section with absorb, bill, quantum, rounding',
)

const Arrears = ArrearsEntry.transform(({ quantum, ...rest }, context): ArrearsPolicy => {
  if (rest.absorb === 'never' && rest.bill === 'carry') {
    const message = 'must be daily-order: what no package absorbs and no order bills is never paid'
    context.addIssue({ code: 'custom', path: ['bill'], message })
  }
  return { ...rest, quantumBytes: quantum }
})

/** `packages` as a file has it. */
export const PackagesEntry = section(
  {
    burnOrder: documented(BurnOrder.prefault([...DEFAULT_BURN_ORDER]), {
      value: `list of ${BURN_KEYS.map((key) => `\`${key}\``).join(', ')}`,
      description: 'Which package is used first; each key decides where those before it tie.',
      settles:
        'Which of two packages is used first? A later key only breaks ties; `id` always comes ' +
        'last, named or not.',
    }),
    arrears: documented(Arrears.prefault({}), {
      value: 'section',
      description: 'What becomes of usage that no package could take.',
    }),
    offers: documented(OffersEntry.prefault([]), {
      value: 'list of offers',
      description: 'Packages that can be bought, with their prices.',
      settles: 'May an account’s own key order any volume? Only what is offered.',
      fallback: 'none',
    }),
  },
  'a section with burnOrder, arrears and offers',
)
