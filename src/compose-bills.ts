import { resolve } from 'node:path'
import type { FastifyPluginAsync } from 'fastify'
import { createBillsApi } from './api/native/bills.ts'
import { createUsageExportApi } from './api/native/usage-export.ts'
import type { PayerFinder } from './api/operations/book-query.ts'
import { explainBillLine } from './billing/explain-line.ts'
import { sharesOfBill } from './billing/package-shares.ts'
import { findAccount, findBrand, findRootAccount } from './catalog/change.ts'
import type { Core } from './compose.ts'
import type { Config } from './config/config.ts'
import { createUsageExporter } from './store/usage/usage-export.ts'

/** Wires what is answered of bills, and usage that leaves as files. */
export function composeBills(config: Config, core: Core): FastifyPluginAsync[] {
  const { bookkeeping, booksUsage, catalog, charges, clock, engine } = core
  const { desk, store } = bookkeeping
  const explaining = { store, usage: booksUsage, modes: charges.desk }
  // A sub-account's bills are its parent's, who pays.
  const payer: PayerFinder = (ref) => findRootAccount(catalog.rows, ref)
  return [
    createBillsApi({
      desk,
      payer,
      clock,
      balance: (key) => bookkeeping.live.balance(key),
      brandOf: async (accountId) => {
        const { brandId } = await findAccount(catalog.rows, accountId)
        return (await findBrand(catalog.rows, brandId)).name
      },
      pack: (hash) => charges.desk.pack(hash),
      shares: (bill) => sharesOfBill(bill, store),
      explain: (id, line) => explainBillLine(id, line, explaining),
    }),
    createUsageExportApi({
      desk,
      payer,
      // Absolute, because the engine has a working directory of its own.
      exportUsage: createUsageExporter(engine, resolve(config.data.directory, 'work')),
    }),
  ]
}
