import type { z } from 'zod'
import type { EpochMs } from '../core/clock.ts'
import { AppError } from '../core/errors.ts'
import { newId } from '../core/ids.ts'
import type { Nano } from '../core/money.ts'
import { type Change, findRootAccount, recordChange, refuseTaken, unknownRef } from './change.ts'
import { invalidInput, parseInput } from './input.ts'
import type { Account, TrafficPackage } from './model.ts'
import {
  contentOf,
  CreateTrafficPackage,
  findPackageProblems,
  UpdateTrafficPackage,
} from './package-inputs.ts'
import { findNamedProjects, findNamedResources, refuseStacked } from './package-scope.ts'
import { formatInstant } from './versions.ts'

function checkRange(startMs: EpochMs, endMs: EpochMs | null): void {
  if (endMs !== null && endMs <= startMs) {
    throw invalidInput([{ field: 'endAt', message: 'must be after startAt' }])
  }
}

/**
 * Adds a prepaid volume.
 *
 * Time: it may begin in a day that is closed. The books never look back: it pays from the first
 * open day on.
 * Errors: `not_found` for the account, a project or a resource, each at its field;
 * `parameter_invalid` for fields that contradict each other; `conflict` for an id that is taken and
 * for a gateway that another package pays for at the time.
 */
export async function createTrafficPackage(
  change: Change,
  input: z.input<typeof CreateTrafficPackage>,
): Promise<TrafficPackage> {
  const { rows } = change
  const fields = parseInput(CreateTrafficPackage, input)
  const problems = findPackageProblems(fields)
  if (problems.length > 0) throw invalidInput(problems)
  const account = await findRootAccount(rows, fields.account)
  const entry = await readEntry(change, account, fields)
  const same = await rows.trafficPackages.get(entry.id)
  refuseTaken(same !== undefined, 'id', `package ${entry.id} exists already.`)
  await refuseStacked(rows, entry, 'resources')
  await rows.trafficPackages.insert(entry)
  await recordChange(change, 'traffic-package.create', entry.id, { before: null, after: entry })
  return entry
}

async function readEntry(
  { rows, nowMs }: Change,
  account: Account,
  fields: z.output<typeof CreateTrafficPackage>,
): Promise<TrafficPackage> {
  const { meter } = fields
  const purchasedMs = fields.purchasedAt ?? nowMs
  const startMs = fields.startAt ?? purchasedMs
  checkRange(startMs, fields.endAt)
  return {
    id: fields.id ?? newId('pkg'),
    accountId: account.id,
    meter,
    ...contentOf(fields),
    projectIds: await findNamedProjects(rows, account.id, fields.projects),
    resourceIds: await findNamedResources(rows, { accountId: account.id, meter }, fields.resources),
    windows: fields.windows,
    sizeBytes: fields.size,
    purchasedMs,
    startMs,
    endMs: fields.endAt,
    firstUseMonths: fields.firstUseMonths,
    paid: fields.paid,
    refundedMs: null,
    refundAmount: null,
    offer: fields.offer,
  }
}

/**
 * Changes when a package ends: earlier, later, or never; a package that lasts from its first use
 * ends then instead.
 *
 * Time: what is closed stays as it was billed, so neither the new end nor, where it is moved
 * forward from there, what the package pays for reaches back before the closed time.
 * Errors: `conflict` for an end before it (field `endAt`), and for a package that was given back.
 */
export async function updateTrafficPackage(
  change: Change,
  id: string,
  input: z.input<typeof UpdateTrafficPackage>,
): Promise<TrafficPackage> {
  const { rows } = change
  const { endAt } = parseInput(UpdateTrafficPackage, input)
  const before = await findHeld(change, id)
  checkRange(before.startMs, endAt)
  const after: TrafficPackage = { ...before, endMs: endAt, firstUseMonths: null }
  const closedMs = await rows.closedUntil(before.accountId, before.meter)
  if (endAt !== null && closedMs !== null && endAt < closedMs && endAt !== before.endMs) {
    throw new AppError(
      'conflict',
      `Package ${id} cannot end at ${formatInstant(endAt)}: days until ${formatInstant(closedMs)} ` +
        'are closed and stay as they were billed. Choose that instant or a later one.',
      { field: 'endAt' },
    )
  }
  await refuseStacked(rows, after, 'endAt')
  await rows.trafficPackages.replace(after)
  await recordChange(change, 'traffic-package.update', id, { before, after })
  return after
}

/**
 * Marks a package as given back; from then on it takes part in nothing.
 *
 * `judged` is the package as it was when the refund was decided.
 * Errors: `conflict` when it was given back or changed since.
 */
export async function refundTrafficPackage(
  change: Change,
  judged: TrafficPackage,
  amount: Nano,
): Promise<TrafficPackage> {
  const { id } = judged
  const before = await findHeld(change, id)
  if (before.endMs !== judged.endMs || before.firstUseMonths !== judged.firstUseMonths) {
    throw new AppError('conflict', `Package ${id} was changed meanwhile; try again.`)
  }
  const after: TrafficPackage = { ...before, refundedMs: change.nowMs, refundAmount: amount }
  await change.rows.trafficPackages.replace(after)
  await recordChange(change, 'traffic-package.refund', id, { before, after })
  return after
}

async function findHeld({ rows }: Change, id: string): Promise<TrafficPackage> {
  const entry = (await rows.trafficPackages.get(id)) ?? unknownRef('package', id, 'id')
  if (entry.refundedMs === null) return entry
  throw new AppError(
    'conflict',
    `Package ${id} was given back at ${formatInstant(entry.refundedMs)}; it can no longer change.`,
  )
}
