import { z } from 'zod'
import { findProject, findResource, findRootAccount } from '../../catalog/change.ts'
import {
  AccountRef,
  AddRegion,
  ChangePayMode,
  CreateResource,
  MeterInput,
  MoveResource,
  PayModeInput,
} from '../../catalog/inputs.ts'
import { InstantInput } from '../../catalog/input.ts'
import type { CatalogWriter } from '../../catalog/catalog.ts'
import { canonicalName } from '../../catalog/names.ts'
import type { CatalogRows } from '../../catalog/ports.ts'
import { Flag, filterOf, listQuery, pageAnswer, pageOf, pageToWire, route } from './route.ts'
import {
  RegionWire,
  ResourceWire,
  VersionWire,
  regionToWire,
  resourceToWire,
  versionToWire,
} from './wire.ts'

type BodyOf<K extends keyof CatalogWriter, At extends number> = Parameters<CatalogWriter[K]>[At]

const REGIONS = [
  route('GET', '/regions', {
    summary: 'List regions and their zones, by region id.',
    query: listQuery({ region: z.string().optional() }),
    answer: pageAnswer(RegionWire),
    run: async ({ catalog, query }) => {
      const filter = filterOf({ region: query.region })
      return pageToWire(await catalog.rows.regions.list(filter, pageOf(query)), regionToWire)
    },
  }),
  route('POST', '/regions', {
    summary: 'Add a region with its zones.',
    body: AddRegion,
    answer: RegionWire,
    run: async ({ writer, body }) =>
      regionToWire(await writer.addRegion(body as BodyOf<'addRegion', 0>)),
  }),
]

const ResourceQuery = listQuery({
  account: AccountRef.optional(),
  project: z.string().optional().describe('Id of the project; its name too when account is given.'),
  meter: MeterInput.optional(),
  name: z.string().optional().describe('Exactly this name, in any spelling when meter is given.'),
  region: z.string().optional(),
  payMode: PayModeInput.optional(),
  living: Flag.optional().describe('true: without deleted ones.'),
})

async function resourceFilter(rows: CatalogRows, query: z.output<typeof ResourceQuery>) {
  const { account, meter, name, region, payMode } = query
  const accountId = account === undefined ? undefined : (await findRootAccount(rows, account)).id
  const projectId =
    query.project === undefined || accountId === undefined
      ? query.project
      : (await findProject(rows, accountId, query.project)).id
  const filter = filterOf({
    accountId,
    projectId,
    meter,
    name: name === undefined || meter === undefined ? name : (canonicalName(meter, name) ?? name),
    region,
    payMode,
  })
  return query.living === true ? { ...filter, deletedMs: null } : filter
}

const RESOURCES = [
  route('GET', '/resources', {
    summary: 'List resources.',
    query: ResourceQuery,
    answer: pageAnswer(ResourceWire),
    run: async ({ catalog, query }) => {
      const filter = await resourceFilter(catalog.rows, query)
      return pageToWire(await catalog.rows.resources.list(filter, pageOf(query)), resourceToWire)
    },
  }),
  route('POST', '/resources', {
    summary: 'Register a domain, an elastic IP or a gateway device.',
    body: CreateResource,
    answer: ResourceWire,
    run: async ({ writer, body }) =>
      resourceToWire(await writer.createResource(body as BodyOf<'createResource', 0>)),
  }),
  route('GET', '/resources/{id}', {
    summary: 'Show a resource.',
    answer: ResourceWire,
    run: async ({ catalog, id }) => resourceToWire(await findResource(catalog.rows, id)),
  }),
  route('GET', '/resources/{id}/versions', {
    summary: 'Show to whom a resource belonged over time, oldest first.',
    answer: z.object({ items: z.array(VersionWire) }),
    run: async ({ catalog, id }) => {
      await findResource(catalog.rows, id)
      return { items: (await catalog.rows.versions(id)).map(versionToWire) }
    },
  }),
  route('DELETE', '/resources/{id}', {
    summary: "End a resource's life; its past usage stays.",
    query: z.strictObject({ atTime: InstantInput.optional() }),
    answer: ResourceWire,
    run: async ({ writer, id, query }) =>
      resourceToWire(await writer.deleteResource(id, filterOf({ atTime: query.atTime }))),
  }),
  route('POST', '/resources/{id}/move', {
    summary: 'Hand a resource to another project; past usage stays with the old one.',
    body: MoveResource,
    answer: ResourceWire,
    run: async ({ writer, id, body }) =>
      resourceToWire(await writer.moveResource(id, body as BodyOf<'moveResource', 1>)),
  }),
  route('POST', '/resources/{id}/pay-mode', {
    summary: 'Change how an elastic IP is paid for; days before keep the old mode.',
    body: ChangePayMode,
    answer: ResourceWire,
    run: async ({ writer, id, body }) =>
      resourceToWire(await writer.changePayMode(id, body as BodyOf<'changePayMode', 1>)),
  }),
]

/** Operations on regions and resources. */
export const RESOURCE_ROUTES = [...REGIONS, ...RESOURCES]
