import type { BookFacts } from './book-keeping.ts'
import type { BooksUsage, RankedUsage } from './books-usage.ts'

/** Beyond so many the list costs more than it saves. */
const RESOURCES_MAX = 1000

/**
 * Tells every question about one account's usage which resources to look at.
 *
 * Shape: the same answers; for an account with very many resources, the same questions.
 */
export function narrowUsage(
  usage: BooksUsage & RankedUsage,
  { resources }: Pick<BookFacts, 'resources'>,
): BooksUsage & RankedUsage {
  if (resources.length > RESOURCES_MAX) return usage
  const resourceIds = resources.map(({ id }) => id)
  return {
    lastBatch: (meter) => usage.lastBatch(meter),
    traffic: (query) => usage.traffic({ ...query, resourceIds }),
    slots: (query) => usage.slots({ ...query, resourceIds }),
    rankedSlots: (query) => usage.rankedSlots({ ...query, resourceIds }),
    proofs: (query) => usage.proofs({ ...query, resourceIds }),
    repair: (meter, interval) => usage.repair(meter, interval),
    late: (meter, interval, batches, whose) =>
      usage.late(meter, interval, batches, whose && { ...whose, resourceIds }),
    lateAccounts: (meter, interval, after) => usage.lateAccounts(meter, interval, after),
  }
}
