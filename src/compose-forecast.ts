import type { FastifyPluginAsync } from 'fastify'
import { createForecastApi } from './api/native/forecast.ts'
import type { BookKey } from './billing/book.ts'
import { forecastBook } from './billing/forecast-book.ts'
import { findRootAccount } from './catalog/change.ts'
import { findOwnResource } from './catalog/package-scope.ts'
import type { Core } from './compose.ts'

/** Wires balances, forecasts and comparisons to the books. */
export function forecastApi(core: Core): FastifyPluginAsync {
  const { booksUsage: usage, catalog, charges, clock, bookkeeping } = core
  const { live, store, currentBooks } = bookkeeping
  const balance = (key: BookKey) => live.balance(key)
  const currentBook = (key: BookKey) => currentBooks.read(key)
  const books = { usage, balance, modes: charges.desk, store, currentBook }
  return createForecastApi({
    ...books,
    clock,
    packs: charges.packs,
    payer: (ref) => findRootAccount(catalog.rows, ref),
    resource: (owner, ref) => findOwnResource(catalog.rows, owner, ref),
    forecast: (key) => forecastBook(key, books),
  })
}
