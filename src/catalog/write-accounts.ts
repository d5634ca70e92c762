import type { z } from 'zod'
import { AppError } from '../core/errors.ts'
import { newId } from '../core/ids.ts'
import {
  type Change,
  findAccount,
  findBrand,
  findRootAccount,
  recordChange,
  refuseTaken,
  unknownRef,
} from './change.ts'
import { parseInput } from './input.ts'
import {
  ACCOUNT_NUMBER_FIRST,
  ACCOUNT_NUMBER_MAX,
  CreateAccount,
  CreateBrand,
  CreateProject,
  UpdateAccount,
  UpdateBrand,
  UpdateProject,
} from './inputs.ts'
import type { Account, Brand, Project } from './model.ts'
import type { CatalogRows } from './ports.ts'

/** More brands than this are surely a mistake; every request's host is looked up among them. */
const BRANDS_MAX = 1000

/** Drops keys that are absent, so that a patch changes only what it names. */
function present<T extends object>(patch: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(patch).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> }
}

/** Adds a vendor identity. Errors: `conflict` when its name or one of its hosts is taken. */
export async function createBrand(
  change: Change,
  input: z.input<typeof CreateBrand>,
): Promise<Brand> {
  const fields = parseInput(CreateBrand, input)
  const brand: Brand = { id: newId('brand'), ...fields, createdMs: change.nowMs }
  await checkBrand(change.rows, brand)
  await change.rows.brands.insert(brand)
  await recordChange(change, 'brand.create', brand.id, { before: null, after: brand })
  return brand
}

/** Changes a brand. Errors: `not_found`, `conflict` as on creation. */
export async function updateBrand(
  change: Change,
  ref: string,
  input: z.input<typeof UpdateBrand>,
): Promise<Brand> {
  const before = await findBrand(change.rows, ref)
  const after: Brand = { ...before, ...present(parseInput(UpdateBrand, input)) }
  await checkBrand(change.rows, after)
  await change.rows.brands.replace(after)
  await recordChange(change, 'brand.update', after.id, { before, after })
  return after
}

async function checkBrand(rows: CatalogRows, brand: Brand): Promise<void> {
  const { items } = await rows.brands.list({}, { limit: BRANDS_MAX, cursor: null })
  for (const other of items) {
    if (other.id === brand.id) continue
    refuseTaken(other.name === brand.name, 'name', `brand "${brand.name}" exists already.`)
    const shared = brand.hosts.find((host) => other.hosts.includes(host))
    refuseTaken(shared !== undefined, 'hosts', `host ${shared} belongs to brand "${other.name}".`)
    const bothAnswerAll = brand.hosts.length === 0 && other.hosts.length === 0
    refuseTaken(
      bothAnswerAll,
      'hosts',
      `brand "${other.name}" already answers every other host; name hosts for this one.`,
    )
  }
}

/**
 * Adds an account, with its default project when it is a root account.
 *
 * Errors: `not_found` for the brand or parent, `conflict` when name or number is taken.
 */
export async function createAccount(
  change: Change,
  input: z.input<typeof CreateAccount>,
): Promise<Account> {
  const { rows } = change
  const fields = parseInput(CreateAccount, input)
  const parent =
    fields.parent === undefined ? null : await findAccount(rows, fields.parent, 'parent')
  refuseTaken(
    parent !== null && parent.parentId !== null,
    'parent',
    `account "${parent?.name}" is a sub-account itself; name its root account.`,
  )
  const brand = await brandOfNew(rows, fields.brand, parent)
  const account: Account = {
    id: fields.id ?? newId('acc'),
    number: fields.number ?? (await nextAccountNumber(rows)),
    brandId: brand.id,
    parentId: parent?.id ?? null,
    name: fields.name,
    email: fields.email,
    zone: fields.zone ?? parent?.zone ?? brand.zone,
    createdMs: change.nowMs,
  }
  await checkAccount(rows, account)
  await rows.accounts.insert(account)
  await recordChange(change, 'account.create', account.id, { before: null, after: account })
  if (parent === null) {
    const id = fields.defaultProjectId ?? newId('org')
    await addProject(change, { id, accountId: account.id, name: fields.defaultProject }, true)
  }
  return account
}

async function brandOfNew(
  rows: CatalogRows,
  ref: string | undefined,
  parent: Account | null,
): Promise<Brand> {
  if (ref !== undefined) return findBrand(rows, ref)
  if (parent !== null) return findBrand(rows, parent.brandId)
  return (await rows.brands.find({})) ?? unknownRef('brand', 'default', 'brand')
}

async function nextAccountNumber(rows: CatalogRows): Promise<number> {
  const next = Math.max(((await rows.lastAccountNumber()) ?? 0) + 1, ACCOUNT_NUMBER_FIRST)
  if (next <= ACCOUNT_NUMBER_MAX) return next
  throw new AppError('conflict', 'No account number is left above the highest; choose one.', {
    field: 'number',
  })
}

async function checkAccount(rows: CatalogRows, account: Account): Promise<void> {
  const named = await rows.accounts.find({ name: account.name })
  refuseTaken(
    named !== undefined && named.id !== account.id,
    'name',
    `account "${account.name}" exists already.`,
  )
  const numbered = await rows.accounts.find({ number: account.number })
  refuseTaken(
    numbered !== undefined && numbered.id !== account.id,
    'number',
    `account number ${account.number} belongs to "${numbered?.name}".`,
  )
}

/** Changes an account's name or address. Zone, number and parent stay: closed days rest on them. */
export async function updateAccount(
  change: Change,
  ref: string,
  input: z.input<typeof UpdateAccount>,
): Promise<Account> {
  const before = await findAccount(change.rows, ref, 'id')
  const after: Account = { ...before, ...present(parseInput(UpdateAccount, input)) }
  await checkAccount(change.rows, after)
  await change.rows.accounts.replace(after)
  await recordChange(change, 'account.update', after.id, { before, after })
  return after
}

/** Adds a project to a root account. Errors: `not_found`, `conflict` when the name is taken. */
export async function createProject(
  change: Change,
  input: z.input<typeof CreateProject>,
): Promise<Project> {
  const fields = parseInput(CreateProject, input)
  const account = await findRootAccount(change.rows, fields.account)
  const id = fields.id ?? newId('org')
  const project = { id, accountId: account.id, name: fields.name }
  return addProject(change, project, fields.isDefault === true)
}

async function addProject(
  change: Change,
  fields: Pick<Project, 'id' | 'accountId' | 'name'>,
  isDefault: boolean,
): Promise<Project> {
  const project: Project = { ...fields, isDefault, createdMs: change.nowMs }
  await checkProject(change.rows, project)
  const same = await change.rows.projects.get(project.id)
  refuseTaken(same !== undefined, 'id', `project ${project.id} exists already.`)
  if (isDefault) await dropDefault(change.rows, project.accountId)
  await change.rows.projects.insert(project)
  await recordChange(change, 'project.create', project.id, { before: null, after: project })
  return project
}

async function checkProject(rows: CatalogRows, project: Project): Promise<void> {
  const named = await rows.projects.find({ accountId: project.accountId, name: project.name })
  refuseTaken(
    named !== undefined && named.id !== project.id,
    'name',
    `the account already has a project "${project.name}".`,
  )
}

/** Comes before a new default: an account has at most one at any moment. */
async function dropDefault(rows: CatalogRows, accountId: string): Promise<void> {
  const former = await rows.projects.find({ accountId, isDefault: true })
  if (former !== undefined) await rows.projects.replace({ ...former, isDefault: false })
}

/** Renames a project or makes it its account's default. */
export async function updateProject(
  change: Change,
  id: string,
  input: z.input<typeof UpdateProject>,
): Promise<Project> {
  const { rows } = change
  const before = (await rows.projects.get(id)) ?? unknownRef('project', id, 'id')
  const after: Project = { ...before, ...present(parseInput(UpdateProject, input)) }
  await checkProject(rows, after)
  if (after.isDefault && !before.isDefault) await dropDefault(rows, before.accountId)
  await rows.projects.replace(after)
  await recordChange(change, 'project.update', id, { before, after })
  return after
}
