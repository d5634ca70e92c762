import type { Account, Brand, Project } from '../../catalog/model.ts'
import type { Clock } from '../../core/clock.ts'
import { AppError } from '../../core/errors.ts'
import type {
  BalanceReader,
  BooksReader,
  CatalogReader,
  ModeSwitch,
  PackageOrders,
  UsageReader,
} from './ports.ts'

/** Who makes a call, once the signature is verified. */
export interface Caller {
  /** Owner of the key: a root account or a sub-account. */
  readonly account: Account
  /** The root account that owns resources and usage; the account itself unless it has a parent. */
  readonly payer: Account
  /** The brand of the host that was called. */
  readonly brand: Brand
}

/** What the operations work with. */
export interface OperationDeps {
  readonly catalog: CatalogReader
  readonly usage: UsageReader
  readonly books: BooksReader
  readonly balances: BalanceReader
  readonly modes: ModeSwitch
  readonly orders: PackageOrders
  readonly clock: Clock
}

/**
 * Finds the project that a call is about.
 *
 * Shape: without an id the default project of a root account.
 * Errors: `forbidden` when a sub-account names none; `project_unknown`, with the id as its field,
 * for one that does not exist or is another account's, which answer alike.
 * Source: ucloud.md §6, GetProjectList and RetCode 292, 299.
 */
export async function projectOf(
  caller: Caller,
  projectId: string | undefined,
  deps: Pick<OperationDeps, 'catalog'>,
): Promise<Project> {
  if (projectId === undefined && caller.account.parentId !== null) {
    throw new AppError('forbidden', 'A sub-account must name the project of every call.')
  }
  const projects = await deps.catalog.projects(caller.account)
  const project =
    projectId === undefined
      ? (projects.find(({ isDefault }) => isDefault) ?? projects[0])
      : projects.find(({ id }) => id === projectId)
  if (project !== undefined) return project
  const field = projectId ?? ''
  throw new AppError('project_unknown', `There is no project ${field}.`, { field })
}
