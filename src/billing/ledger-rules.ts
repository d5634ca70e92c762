import { EMPTY_HEAD, verifyChain } from './ledger-chain.ts'
import { planPostings } from './ledger-plan.ts'
import { addLegs, formatUnit, overdrawnBy, parseUnit, totalsOf } from './ledger.ts'

/** The rules of the ledger, for the store that keeps it. */
export const ledgerRules = {
  emptyHead: EMPTY_HEAD,
  planPostings,
  verifyChain,
  totalsOf,
  addLegs,
  overdrawnBy,
  formatUnit,
  parseUnit,
} as const

export type LedgerRules = typeof ledgerRules
