import { Readable } from 'node:stream'
import { fastify, type FastifyInstance } from 'fastify'
import { createBillsApi } from '../../src/api/native/bills.ts'
import { createGuarded } from '../../src/api/native/guard.ts'
import { createUsageExportApi } from '../../src/api/native/usage-export.ts'
import { sendFailure } from '../../src/api/native-errors.ts'
import type { UsageExportQuery } from '../../src/api/operations/export-usage.ts'
import type { BillExplanation } from '../../src/billing/explanation.ts'
import { AppError } from '../../src/core/errors.ts'
import { parseRulePack } from '../../src/rating/rule-pack.ts'
import { CUSTOMER, type FakeBillDesk } from './bills.ts'

/** The admin token that opens the routes. */
export const TOKEN = 'plainly-fake-admin-token'
/** What `Now` is. */
export const NOW_MS = Date.UTC(2026, 10, 20, 12)

const PACK = parseRulePack(
  `
name: pack
version: 1
description: Levels of the hand-made rules.
currency: CNY
rules:
  - { type: traffic, name: static-cn, level: account, unit: GB, period: day, price: "1" }
  - { type: traffic, name: eip-out, level: resource, unit: GB, period: month, price: "1" }
`,
  'pack',
)

/** The routes of bills and usage exports over hand-made bills. */
export interface BillsServer {
  readonly app: FastifyInstance
  readonly exported: UsageExportQuery[]
}

/** Makes a server; explanations are those that are given, by line number. */
export function billsServer(
  desk: FakeBillDesk,
  explanations: Readonly<Record<number, BillExplanation>> = {},
): BillsServer {
  const exported: UsageExportQuery[] = []
  const app = fastify()
  app.setErrorHandler((thrown, request, reply) => sendFailure(thrown, request, reply))
  const payer = async (ref: string) => {
    if (ref === CUSTOMER.id || ref === CUSTOMER.name) return { id: CUSTOMER.id, zone: 'UTC' }
    throw new AppError('not_found', `There is no account ${ref}.`)
  }
  const bills = createBillsApi({
    balance: async () => ({ closedUntilMs: 0 }),
    desk,
    payer,
    clock: { nowMs: () => NOW_MS },
    brandOf: async () => 'Example Cloud',
    pack: async () => PACK,
    shares: async () => [],
    explain: async (id, line) => {
      const found = explanations[line]
      if (found?.bill === id) return found
      throw new AppError('not_found', `The bill ${id} has no line ${line}.`)
    },
  })
  const usage = createUsageExportApi({
    desk,
    payer,
    exportUsage: async (query) => {
      exported.push(query)
      return Readable.from([Buffer.from('PAR1'), Buffer.from('PAR1')])
    },
  })
  void app.register(createGuarded(async (token) => token === TOKEN, [bills, usage]))
  return { app, exported }
}
