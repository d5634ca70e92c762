import { type AlertDesk, createAlertDesk } from '../../src/api/operations/alert-desk.ts'
import { createBookCurrencies } from '../../src/billing/book-currencies.ts'
import type { Catalog } from '../../src/catalog/catalog.ts'
import type { Charges } from '../../src/compose-charges.ts'
import type { Clock } from '../../src/core/clock.ts'
import type { ControlStore } from '../../src/store/control/control-store.ts'

/** Opens the desk of alerts on a store as the server does. */
export function testAlertDesk(
  { alerts: store }: ControlStore,
  { rows }: Catalog,
  { desk }: Pick<Charges, 'desk'>,
  clock: Clock,
): AlertDesk {
  const currencies = createBookCurrencies({ charges: desk, rows, clock })
  return createAlertDesk({ store, rows, clock, currencies })
}
