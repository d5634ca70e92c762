import type { Kysely, Transaction } from 'kysely'
import type { AuditDraft } from '../../catalog/model.ts'
import { type BrokenLink, type ChainHead, EMPTY_HEAD } from '../../core/hash-chain.ts'
import { checkAuditRow, linkAuditRecord } from './audit-chain.ts'
import { toAuditRecord } from './catalog-rows.ts'
import type { AuditRow } from './catalog-tables.ts'
import type { ControlDatabase } from './tables.ts'

/** One link that was compared, and what it should have been. */
export interface AuditLogFinding {
  /** Names the entry, e.g. `audit log: entry 7 (log-…, key.create by bob) is as recorded`. */
  readonly check: string
  readonly expected: bigint
  readonly actual: bigint
}

/** What a walk along the audit log looked at and what it found wrong. */
export interface AuditLogWalk {
  /** Comparisons made: one per entry, and one of the end. */
  readonly checks: number
  readonly findings: readonly AuditLogFinding[]
}

const PAGE = 1000

/**
 * Appends a change to the audit log and its chain.
 *
 * Limits: inside a change of the catalog, which no other one overlaps; two appends at once would
 * take the same place, and the second fails.
 */
export async function appendAudit(db: Kysely<ControlDatabase>, draft: AuditDraft): Promise<void> {
  const row = linkAuditRecord(await readHead(db), toAuditRecord(draft))
  await db.insertInto('audit_log').values(row).execute()
  await db
    .updateTable('audit_head')
    .set({ sequence: row.sequence, hash: row.hash })
    .where('name', '=', 'audit_log')
    .execute()
}

/**
 * Walks the chain of the audit log; a changed, removed, inserted or moved entry is a finding.
 *
 * Each entry is compared with the one that stands before it, so that one wrong entry does not hide
 * the next. Changes may be recorded meanwhile: the log is read as it was at one moment.
 * Limits: whoever can rewrite the rest of the chain and its head is found only by a hash that was
 * kept elsewhere.
 */
export function walkAuditLog(db: Kysely<ControlDatabase>): Promise<AuditLogWalk> {
  return db
    .transaction()
    .setIsolationLevel('repeatable read')
    .execute((trx) => walk(trx))
}

async function readHead(db: Kysely<ControlDatabase>): Promise<ChainHead> {
  return db
    .selectFrom('audit_head')
    .select(['sequence', 'hash'])
    .where('name', '=', 'audit_log')
    .executeTakeFirstOrThrow()
}

async function walk(trx: Transaction<ControlDatabase>): Promise<AuditLogWalk> {
  const head = await readHead(trx)
  const findings: AuditLogFinding[] = []
  let checks = 1
  let last: ChainHead = EMPTY_HEAD
  // From below the first, so that an entry slipped in before it is seen.
  let after = Number.MIN_SAFE_INTEGER
  for (;;) {
    const rows = await readRows(trx, after)
    for (const row of rows) {
      const broken = checkAuditRow(last, row)
      if (broken !== null) findings.push(describe(broken, row))
      checks += 1
      after = row.sequence
      last = { sequence: row.sequence, hash: row.hash }
    }
    if (rows.length < PAGE) break
  }
  if (head.sequence !== last.sequence || head.hash !== last.hash) {
    findings.push({
      check: 'audit log: the last entry is the one that was recorded last',
      expected: BigInt(head.sequence),
      // No entry has this sequence: the right place with a wrong hash is a finding, too.
      actual: head.sequence === last.sequence ? -1n : BigInt(last.sequence),
    })
  }
  return { checks, findings }
}

function readRows(trx: Transaction<ControlDatabase>, after: number): Promise<AuditRow[]> {
  return trx
    .selectFrom('audit_log')
    .selectAll()
    .where('sequence', '>', after)
    .orderBy('sequence')
    .limit(PAGE)
    .execute()
}

function describe({ sequence, reason }: BrokenLink, row: AuditRow): AuditLogFinding {
  const entry = `entry ${row.sequence} (${row.id}, ${row.action} by ${row.actor})`
  if (reason === 'sequence') {
    return {
      check: `audit log: ${entry} follows without a gap`,
      expected: BigInt(sequence),
      actual: BigInt(row.sequence),
    }
  }
  const what = reason === 'hash' ? 'is as recorded' : `follows from entry ${sequence - 1}`
  // Nothing to count here: one link, and it does not hold.
  return { check: `audit log: ${entry} ${what}`, expected: 1n, actual: 0n }
}
