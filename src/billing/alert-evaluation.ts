import type { Account } from '../catalog/model.ts'
import type { Clock } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'
import type { AlertEntry } from './alert.ts'
import { notificationOf } from './alert-message.ts'
import { type AlertStore, recipientsOf } from './alert-ports.ts'
import { type AlertReading, stepAlert } from './alert-rules.ts'
import { type AlertUsage, readWatch } from './alert-values.ts'
import type { BookBalance } from './balance.ts'
import type { BookKey } from './book.ts'

export interface AlertEvaluationDeps {
  readonly clock: Clock
  readonly store: Pick<AlertStore, 'list' | 'advance'>
  /** Where a book stands. Errors: `not_found` while the account has none. */
  readonly balance: (key: BookKey) => Promise<BookBalance>
  readonly usage: AlertUsage
  readonly account: (id: string) => Promise<Account | undefined>
  readonly log: { error(details: object, message: string): void }
}

const PAGE = 1000

/**
 * Judges every alert, or those of some accounts, and queues what is to be told.
 *
 * Each book is read once for all its alerts. Whether anything changed is first decided without a
 * lock, since almost always nothing has, and then again with it.
 * Errors: a book that cannot be read is reported and judged next time; the others go on.
 */
export async function evaluateAlerts(
  deps: AlertEvaluationDeps,
  accountIds: ReadonlySet<string> | null,
): Promise<void> {
  const books = new Map<string, AlertEntry[]>()
  let cursor: string | null = null
  do {
    const page = await deps.store.list({}, { limit: PAGE, cursor })
    for (const entry of page.items) {
      const { accountId, meter } = entry.alert
      if (accountIds !== null && !accountIds.has(accountId)) continue
      const name = `${accountId} ${meter}`
      books.set(name, [...(books.get(name) ?? []), entry])
    }
    cursor = page.nextCursor
  } while (cursor !== null)
  for (const [book, entries] of books) {
    try {
      await evaluateBook(deps, entries)
    } catch (error) {
      // An alert may be made before the first resource, with which the book begins.
      if (error instanceof AppError && error.code === 'not_found') continue
      deps.log.error({ err: error, book }, 'alerts: a book cannot be judged; trying again soon')
    }
  }
}

async function evaluateBook(
  deps: AlertEvaluationDeps,
  entries: readonly AlertEntry[],
): Promise<void> {
  const [first] = entries
  if (first === undefined) return
  const { accountId, meter } = first.alert
  const account = await deps.account(accountId)
  if (account === undefined) return
  const balance = await deps.balance({ accountId, meter })
  for (const entry of entries) {
    const { watch } = entry.alert
    const reading = await readWatch(watch, balance, account.createdMs, deps.usage)
    if (reading === null || !stepAlert(entry.alert, entry.state, reading).isChanged) continue
    await advance(deps, entry, account, reading)
  }
}

async function advance(
  { store, clock }: AlertEvaluationDeps,
  { alert: { id } }: AlertEntry,
  account: Account,
  reading: AlertReading,
): Promise<void> {
  const nowMs = clock.nowMs()
  await store.advance(id, nowMs, ({ alert, state }) => {
    const step = stepAlert(alert, state, reading)
    if (!step.isChanged) return null
    const notifications = step.events.map((event) =>
      notificationOf(alert, account, step.state, event, nowMs),
    )
    return { state: step.state, notifications, recipients: recipientsOf(alert) }
  })
}
