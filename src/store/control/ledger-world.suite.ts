import { randomBytes } from 'node:crypto'
import { ledgerRules } from '../../billing/ledger-rules.ts'
import type { LedgerAccount, Posting } from '../../billing/ledger.ts'
import { type ControlStore, openControlStore } from './control-store.ts'
import { createLedger, type Ledger } from './ledger.ts'
import { createMasterKeys } from './master-key.ts'

export const NOW_MS = Date.UTC(2026, 10, 21, 8, 30, 15)
export const clock = { nowMs: () => NOW_MS }

/** Opens a control store and the ledger in it, as one node does. */
export async function openLedger(location: string): Promise<World> {
  const masterKeys = createMasterKeys([randomBytes(32).toString('base64')])
  const store = await openControlStore(location, { clock, masterKeys })
  return { store, ledger: createLedger(store.db, { rules: ledgerRules, clock }) }
}

/** Makes a posting in bytes, of account `acc-1` unless the key begins with another and a slash. */
export function bytesPosting(key: string, ...legs: [LedgerAccount, bigint][]): Posting {
  const [accountId = ''] = key.includes('/') ? key.split('/') : ['acc-1']
  return {
    key,
    accountId,
    atMs: NOW_MS - 86_400_000,
    unit: 'bytes',
    description: 'test',
    legs: legs.map(([ledgerAccount, amount]) => ({ ledgerAccount, amount })),
  }
}

export const buy = (key: string, amount: bigint) =>
  bytesPosting(key, ['package:p', amount], ['purchased', -amount])
export const draw = (key: string, amount: bigint) =>
  bytesPosting(key, ['package:p', -amount], ['usage', amount])

export interface World {
  readonly store: ControlStore
  readonly ledger: Ledger
}
