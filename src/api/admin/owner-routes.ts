import { z } from 'zod'
import { findAccount, findBrand, findRootAccount, unknownRef } from '../../catalog/change.ts'
import {
  AccountRef,
  CreateAccount,
  CreateBrand,
  CreateProject,
  UpdateAccount,
  UpdateBrand,
  UpdateProject,
} from '../../catalog/inputs.ts'
import type { CatalogWriter } from '../../catalog/catalog.ts'
import { Flag, filterOf, listQuery, pageAnswer, pageOf, pageToWire, route } from './route.ts'
import {
  AccountWire,
  BrandWire,
  ProjectWire,
  accountToWire,
  brandToWire,
  projectToWire,
} from './wire.ts'

type BodyOf<K extends keyof CatalogWriter, At extends number> = Parameters<CatalogWriter[K]>[At]

const BRANDS = [
  route('GET', '/brands', {
    summary: 'List brands.',
    query: listQuery({ name: z.string().optional() }),
    answer: pageAnswer(BrandWire),
    run: async ({ catalog, query }) =>
      pageToWire(
        await catalog.rows.brands.list(filterOf({ name: query.name }), pageOf(query)),
        brandToWire,
      ),
  }),
  route('POST', '/brands', {
    summary: 'Add a brand.',
    body: CreateBrand,
    answer: BrandWire,
    run: async ({ writer, body }) =>
      brandToWire(await writer.createBrand(body as BodyOf<'createBrand', 0>)),
  }),
  route('GET', '/brands/{id}', {
    summary: 'Show a brand, by id or name.',
    answer: BrandWire,
    run: async ({ catalog, id }) => brandToWire(await findBrand(catalog.rows, id)),
  }),
  route('PATCH', '/brands/{id}', {
    summary: 'Change what is given of a brand.',
    body: UpdateBrand,
    answer: BrandWire,
    run: async ({ writer, id, body }) =>
      brandToWire(await writer.updateBrand(id, body as BodyOf<'updateBrand', 1>)),
  }),
]

const ACCOUNTS = [
  route('GET', '/accounts', {
    summary: 'List accounts.',
    query: listQuery({
      name: z.string().optional(),
      number: z.coerce.number().int().optional(),
      brand: z.string().optional().describe('Id or name of the brand.'),
      parent: z.string().optional().describe('Sub-accounts of this account.'),
      root: Flag.optional().describe('true: root accounts only.'),
    }),
    answer: pageAnswer(AccountWire),
    run: async ({ catalog, query }) => {
      const { rows } = catalog
      const filter = filterOf({
        name: query.name,
        number: query.number,
        brandId: query.brand === undefined ? undefined : (await findBrand(rows, query.brand)).id,
      })
      const parent =
        query.parent === undefined
          ? {}
          : { parentId: (await findAccount(rows, query.parent, 'parent')).id }
      const root = query.root === true ? { parentId: null } : {}
      const page = await rows.accounts.list({ ...filter, ...root, ...parent }, pageOf(query))
      return pageToWire(page, accountToWire)
    },
  }),
  route('POST', '/accounts', {
    summary: 'Add an account with its default project, or a sub-account.',
    body: CreateAccount,
    answer: AccountWire,
    run: async ({ writer, body }) =>
      accountToWire(await writer.createAccount(body as BodyOf<'createAccount', 0>)),
  }),
  route('GET', '/accounts/{id}', {
    summary: 'Show an account, by id, name or number.',
    answer: AccountWire,
    run: async ({ catalog, id }) => accountToWire(await findAccount(catalog.rows, id, 'id')),
  }),
  route('PATCH', '/accounts/{id}', {
    summary: "Change an account's name or e-mail address.",
    body: UpdateAccount,
    answer: AccountWire,
    run: async ({ writer, id, body }) =>
      accountToWire(await writer.updateAccount(id, body as BodyOf<'updateAccount', 1>)),
  }),
  route('GET', '/accounts/{id}/sub-accounts', {
    summary: 'List the sub-accounts of an account.',
    query: listQuery({}),
    answer: pageAnswer(AccountWire),
    run: async ({ catalog, id, query }) => {
      const parent = await findAccount(catalog.rows, id, 'id')
      const page = await catalog.rows.accounts.list({ parentId: parent.id }, pageOf(query))
      return pageToWire(page, accountToWire)
    },
  }),
  route('POST', '/accounts/{id}/sub-accounts', {
    summary: 'Add a sub-account.',
    body: CreateAccount.omit({ parent: true, defaultProject: true, defaultProjectId: true }),
    answer: AccountWire,
    run: async ({ writer, id, body }) => {
      const input = { ...(body as BodyOf<'createAccount', 0>), parent: id }
      return accountToWire(await writer.createAccount(input))
    },
  }),
]

const PROJECTS = [
  route('GET', '/projects', {
    summary: 'List projects.',
    query: listQuery({ account: AccountRef.optional(), name: z.string().optional() }),
    answer: pageAnswer(ProjectWire),
    run: async ({ catalog, query }) => {
      const { rows } = catalog
      const { account, name } = query
      const accountId =
        account === undefined ? undefined : (await findRootAccount(rows, account)).id
      const page = await rows.projects.list(filterOf({ accountId, name }), pageOf(query))
      return pageToWire(page, projectToWire)
    },
  }),
  route('POST', '/projects', {
    summary: 'Add a project.',
    body: CreateProject,
    answer: ProjectWire,
    run: async ({ writer, body }) =>
      projectToWire(await writer.createProject(body as BodyOf<'createProject', 0>)),
  }),
  route('GET', '/projects/{id}', {
    summary: 'Show a project.',
    answer: ProjectWire,
    run: async ({ catalog, id }) =>
      projectToWire((await catalog.rows.projects.get(id)) ?? unknownRef('project', id, 'id')),
  }),
  route('PATCH', '/projects/{id}', {
    summary: 'Rename a project, or make it the default one of its account.',
    body: UpdateProject,
    answer: ProjectWire,
    run: async ({ writer, id, body }) =>
      projectToWire(await writer.updateProject(id, body as BodyOf<'updateProject', 1>)),
  }),
]

/** Operations on brands, accounts and projects. */
export const OWNER_ROUTES = [...BRANDS, ...ACCOUNTS, ...PROJECTS]
