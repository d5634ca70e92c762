import { z } from 'zod'
import { findRootAccount, unknownRef } from '../../catalog/change.ts'
import { AccountRef, AreaScopeInput, KindInput, MeterInput } from '../../catalog/inputs.ts'
import {
  CreateExclusivePackage,
  CreateTrafficPackage,
  UpdateTrafficPackage,
} from '../../catalog/package-inputs.ts'
import type { CatalogWriter } from '../../catalog/catalog.ts'
import { filterOf, listQuery, pageAnswer, pageOf, pageToWire, route } from './route.ts'
import {
  ExclusivePackageWire,
  TrafficPackageWire,
  exclusivePackageToWire,
  trafficPackageToWire,
} from './wire.ts'

type BodyOf<K extends keyof CatalogWriter, At extends number> = Parameters<CatalogWriter[K]>[At]

const TRAFFIC = [
  route('GET', '/traffic-packages', {
    summary: 'List prepaid volumes, in the order in which they were bought.',
    query: listQuery({
      account: AccountRef.optional(),
      meter: MeterInput.optional(),
      area: AreaScopeInput.optional(),
      kind: KindInput.optional(),
    }),
    answer: pageAnswer(TrafficPackageWire),
    run: async ({ catalog, query }) => {
      const { rows } = catalog
      const { account, meter, area, kind } = query
      const accountId =
        account === undefined ? undefined : (await findRootAccount(rows, account)).id
      const filter = filterOf({ accountId, meter, area, kind })
      return pageToWire(
        await rows.trafficPackages.list(filter, pageOf(query)),
        trafficPackageToWire,
      )
    },
  }),
  route('POST', '/traffic-packages', {
    summary: 'Add a prepaid volume.',
    body: CreateTrafficPackage,
    answer: TrafficPackageWire,
    run: async ({ writer, body }) =>
      trafficPackageToWire(
        await writer.createTrafficPackage(body as BodyOf<'createTrafficPackage', 0>),
      ),
  }),
  route('GET', '/traffic-packages/{id}', {
    summary: 'Show a prepaid volume.',
    answer: TrafficPackageWire,
    run: async ({ catalog, id }) =>
      trafficPackageToWire(
        (await catalog.rows.trafficPackages.get(id)) ?? unknownRef('package', id, 'id'),
      ),
  }),
  route('PATCH', '/traffic-packages/{id}', {
    summary: 'Change when a prepaid volume ends.',
    body: UpdateTrafficPackage,
    answer: TrafficPackageWire,
    run: async ({ writer, id, body }) =>
      trafficPackageToWire(
        await writer.updateTrafficPackage(id, body as BodyOf<'updateTrafficPackage', 1>),
      ),
  }),
]

const EXCLUSIVE = [
  route('GET', '/exclusive-packages', {
    summary: 'List the refilling volumes that elastic IPs have.',
    query: listQuery({
      account: AccountRef.optional(),
      resource: z.string().optional().describe('Id of the elastic IP.'),
    }),
    answer: pageAnswer(ExclusivePackageWire),
    run: async ({ catalog, query }) => {
      const { rows } = catalog
      const { account } = query
      const accountId =
        account === undefined ? undefined : (await findRootAccount(rows, account)).id
      const filter = {
        ...filterOf({ accountId, resourceId: query.resource }),
        deletedMs: null,
      }
      const page = await rows.exclusivePackages.list(filter, pageOf(query))
      return pageToWire(page, exclusivePackageToWire)
    },
  }),
  route('POST', '/exclusive-packages', {
    summary: 'Give an elastic IP its own refilling volume.',
    body: CreateExclusivePackage,
    answer: ExclusivePackageWire,
    run: async ({ writer, body }) =>
      exclusivePackageToWire(
        await writer.createExclusivePackage(body as BodyOf<'createExclusivePackage', 0>),
      ),
  }),
  route('GET', '/exclusive-packages/{id}', {
    summary: 'Show a refilling volume, also one that was taken away.',
    answer: ExclusivePackageWire,
    run: async ({ catalog, id }) =>
      exclusivePackageToWire(
        (await catalog.rows.exclusivePackages.get(id)) ?? unknownRef('package', id, 'id'),
      ),
  }),
  route('DELETE', '/exclusive-packages/{id}', {
    summary: 'Take a refilling volume away.',
    answer: ExclusivePackageWire,
    run: async ({ writer, id }) => exclusivePackageToWire(await writer.deleteExclusivePackage(id)),
  }),
]

/** Operations on packages. */
export const PACKAGE_ROUTES = [...TRAFFIC, ...EXCLUSIVE]
