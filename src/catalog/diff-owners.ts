import { type Draft, compare, create, refuse, spelled, update } from './diff-draft.ts'
import type { Manifest } from './manifest.ts'
import type { Account } from './model.ts'

/** Compares brands. */
export function diffBrands(draft: Draft): void {
  for (const wanted of draft.manifest.brands ?? []) {
    const actual = draft.now.brands.find((brand) => brand.name === wanted.name)
    if (actual === undefined) {
      create(draft, 'brand', wanted.name, wanted)
      continue
    }
    const changes = compare(wanted, { ...actual })
    if (changes.length === 0) draft.unchanged += 1
    else update(draft, 'brand', actual, changes)
  }
}

/** Compares regions; they are only added. */
export function diffRegions(draft: Draft): void {
  for (const wanted of draft.manifest.regions ?? []) {
    const actual = draft.now.regions.find((region) => region.region === wanted.region)
    if (actual === undefined) {
      create(draft, 'region', wanted.region, wanted)
      continue
    }
    const { name, zones } = wanted
    const changes = compare({ name, zones }, { ...actual })
    if (changes.length === 0) draft.unchanged += 1
    refuse(draft, `region ${wanted.region}`, changes, 'regions are only added')
  }
}

/** Compares accounts and their projects. */
export function diffAccounts(draft: Draft): void {
  const wanted = draft.manifest.accounts ?? []
  // Roots first: a sub-account names its parent, which may be new as well.
  const ordered = [...wanted].sort(
    (a, b) => Number(a.parent !== undefined) - Number(b.parent !== undefined),
  )
  for (const { projects = [], ...account } of ordered) {
    const actual = draft.now.accounts.find((each) => each.name === account.name)
    if (actual === undefined) {
      const first = projects.find((project) => project.default === true)
      const body = { ...account, defaultProject: first?.name, defaultProjectId: first?.id }
      create(draft, 'account', account.name, body)
    } else {
      diffAccount(draft, account, actual)
    }
    diffProjects(draft, account.name, projects, actual)
  }
}

type AccountEntry = NonNullable<Manifest['accounts']>[number]

function diffAccount(draft: Draft, wanted: AccountEntry, actual: Account): void {
  const { now } = draft
  const { email, zone, number, id } = wanted
  const changes = compare({ email }, { ...actual })
  const fixed = compare(
    { id, zone, number, brand: wanted.brand, parent: wanted.parent },
    {
      ...actual,
      brand: spelled(wanted.brand, now.brands, actual.brandId),
      parent: spelled(wanted.parent, now.accounts, actual.parentId),
    },
  )
  refuse(draft, `account ${actual.name}`, fixed, 'make a new account')
  if (changes.length > 0) update(draft, 'account', actual, changes)
  else if (fixed.length === 0) draft.unchanged += 1
}

function diffProjects(
  draft: Draft,
  accountName: string,
  wanted: NonNullable<AccountEntry['projects']>,
  account: Account | undefined,
): void {
  for (const { id, name, default: isDefault } of wanted) {
    // A new account comes with its default project.
    if (account === undefined && (isDefault === true || isImplied(wanted, name))) continue
    const actual = draft.now.projects.find(
      (project) => project.accountId === account?.id && project.name === name,
    )
    const label = `${accountName}/${name}`
    if (actual === undefined) {
      create(draft, 'project', label, { id, account: accountName, name, isDefault })
      continue
    }
    const changes = compare({ isDefault }, { ...actual })
    if (changes.length === 0) draft.unchanged += 1
    else update(draft, 'project', { id: actual.id, name: label }, changes)
  }
}

/** Without a named default, the account's own project is called Default. */
function isImplied(wanted: NonNullable<AccountEntry['projects']>, name: string): boolean {
  return name === 'Default' && !wanted.some((project) => project.default === true)
}
