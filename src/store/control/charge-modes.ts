import { chunksOf } from '../../core/chunks.ts'
import type { Insertable, Kysely, Selectable } from 'kysely'
import type { BookKey } from '../../billing/book.ts'
import type { ChargeMode } from '../../billing/charge-modes.ts'
import type { ChargeRows, ChargeStore, KeptPack } from '../../billing/charge-store.ts'
import type { MeterName } from '../../meters/meter.ts'
import type { ControlCatalogStore } from './catalog-store.ts'
import type { ChargeModeRow, RulePackRow } from './charge-tables.ts'
import type { ControlDatabase } from './tables.ts'

type Db = Kysely<ControlDatabase>

/** Most rows in one statement: eight columns of each stay below 32,766 bound values. */
const ROWS_MAX = 1000

/** Keeps rule packs and charge modes in the control store. */
export function createChargeStore(db: Db, catalog: ControlCatalogStore): ChargeStore {
  return {
    rows: createChargeRows(db),
    change: (work) =>
      catalog.changeWith((rows, trx) => work({ catalog: rows, charge: createChargeRows(trx) })),
  }
}

function createChargeRows(db: Db): ChargeRows {
  return {
    packByHash: async (hash) => {
      const row = await db
        .selectFrom('rule_packs')
        .selectAll()
        .where('hash', '=', hash)
        .executeTakeFirst()
      return row === undefined ? undefined : toPack(row)
    },
    packs: async (name) => {
      let query = db.selectFrom('rule_packs').selectAll()
      if (name !== undefined) query = query.where('name', '=', name)
      const rows = await query.orderBy('recorded_ms').orderBy('hash').execute()
      return rows.map(toPack)
    },
    insertPack: async ({ recordedMs, ...pack }) => {
      await db
        .insertInto('rule_packs')
        .values({ ...pack, recorded_ms: recordedMs })
        .execute()
    },
    modes: async ({ accountId, meter }) => {
      const rows = await db
        .selectFrom('charge_modes')
        .selectAll()
        .where('meter', '=', meter)
        .where('account_id', '=', accountId)
        .execute()
      return rows.map(toMode)
    },
    modesOfMeter: async (meter) => {
      const rows = await db
        .selectFrom('charge_modes')
        .selectAll()
        .where('meter', '=', meter)
        .execute()
      return rows.map(toMode)
    },
    insertModes: async (modes) => {
      for (const some of chunksOf(modes.map(toModeRow), ROWS_MAX)) {
        await db.insertInto('charge_modes').values(some).execute()
      }
    },
    beganMs: async (book) => {
      // One after the other: a transaction has one connection.
      const starts = [
        await firstOwned(db, book),
        await firstTrafficPackage(db, book),
        book.meter === 'eip' ? await firstExclusivePackage(db, book.accountId) : null,
      ]
      const found = starts.filter((startMs) => startMs !== null)
      return found.length === 0 ? undefined : Math.min(...found)
    },
  }
}

/** When the account first owned a resource of the meter, also one that it has given away. */
async function firstOwned(db: Db, { accountId, meter }: BookKey): Promise<number | null> {
  const row = await db
    .selectFrom('resource_versions as v')
    .innerJoin('resources as r', 'r.id', 'v.resource_id')
    .select((is) => is.fn.min<number | null>('v.from_ms').as('start_ms'))
    .where('v.account_id', '=', accountId)
    .where('r.meter', '=', meter)
    .executeTakeFirstOrThrow()
  return row.start_ms
}

async function firstTrafficPackage(db: Db, book: BookKey): Promise<number | null> {
  const row = await db
    .selectFrom('traffic_packages as p')
    .select((is) => is.fn.min<number | null>('p.purchased_ms').as('purchased_ms'))
    .select((is) => is.fn.min<number | null>('p.start_ms').as('start_ms'))
    .where('p.account_id', '=', book.accountId)
    .where('p.meter', '=', book.meter)
    .executeTakeFirstOrThrow()
  const { purchased_ms: purchasedMs, start_ms: startMs } = row
  return purchasedMs === null || startMs === null ? null : Math.min(purchasedMs, startMs)
}

async function firstExclusivePackage(db: Db, accountId: string): Promise<number | null> {
  const row = await db
    .selectFrom('exclusive_packages as p')
    .select((is) => is.fn.min<number | null>('p.created_ms').as('created_ms'))
    .where('p.account_id', '=', accountId)
    .executeTakeFirstOrThrow()
  return row.created_ms
}

function toPack({ recorded_ms: recordedMs, ...row }: Selectable<RulePackRow>): KeptPack {
  return { ...row, recordedMs }
}

function toMode(row: Selectable<ChargeModeRow>): ChargeMode {
  return {
    id: row.id,
    accountId: row.account_id,
    meter: row.meter as MeterName,
    fromMs: row.from_ms,
    requestedMs: row.requested_ms,
    packHash: row.pack_hash,
    groups: JSON.parse(row.groups) as Record<string, string[]>,
    actor: row.actor,
  }
}

function toModeRow(mode: ChargeMode): Insertable<ChargeModeRow> {
  return {
    id: mode.id,
    account_id: mode.accountId,
    meter: mode.meter,
    from_ms: mode.fromMs,
    requested_ms: mode.requestedMs,
    pack_hash: mode.packHash,
    groups: JSON.stringify(mode.groups),
    actor: mode.actor,
  }
}
