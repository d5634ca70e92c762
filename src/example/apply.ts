import type { Catalog, CatalogWriter } from '../catalog/catalog.ts'
import type { CatalogSnapshot, Step } from '../catalog/diff-draft.ts'
import { diffCatalog } from '../catalog/diff.ts'
import { parseManifest } from '../catalog/manifest.ts'
import type { MeterName } from '../catalog/model.ts'
import type { CatalogRows, Shelf } from '../catalog/ports.ts'
import { AppError, unreachable } from '../core/errors.ts'
import { exampleCatalog } from './catalog.ts'

/** Who makes the example, in the audit log; nobody else acts under this name. */
export const EXAMPLE_ACTOR = 'example'

/** Ingest tokens by meter, of the sources made just now; a token is never told again. */
export type IngestTokens = Partial<Record<MeterName, string>>

/**
 * Creates what the catalog lacks of the example. After half of it, doing it again adds the rest.
 *
 * Errors: `conflict` when something of the same name is there and differs.
 */
export async function applyExample(
  catalog: Pick<Catalog, 'rows' | 'as'>,
  endMs: number,
): Promise<IngestTokens> {
  // JSON is YAML: the same reader checks it that checks an operator's file.
  const manifest = parseManifest(JSON.stringify(exampleCatalog(endMs)), 'example')
  const { steps, conflicts } = diffCatalog(manifest, await snapshot(catalog.rows), { prune: false })
  if (conflicts.length > 0) throw new AppError('conflict', conflicts.join('\n'))
  const tokens: IngestTokens = {}
  for (const step of steps) await create(catalog.as(EXAMPLE_ACTOR), step, tokens)
  return tokens
}

async function create(writer: CatalogWriter, step: Step, tokens: IngestTokens): Promise<void> {
  if (step.verb !== 'create') {
    throw new AppError('conflict', `The example's ${step.kind} ${step.name} was changed meanwhile.`)
  }
  // The writer checks every field of what it is given.
  const body = step.body as never
  switch (step.kind) {
    case 'brand':
      return void (await writer.createBrand(body))
    case 'region':
      return void (await writer.addRegion(body))
    case 'account':
      return void (await writer.createAccount(body))
    case 'project':
      return void (await writer.createProject(body))
    case 'resource':
      return void (await writer.createResource(body))
    case 'traffic-package':
      return void (await writer.createTrafficPackage(body))
    case 'exclusive-package':
      return void (await writer.createExclusivePackage(body))
    case 'source': {
      const { source, token } = await writer.createSource(body)
      for (const meter of source.meters) tokens[meter] = token
      return
    }
    default:
      return unreachable(step.kind)
  }
}

async function snapshot(rows: CatalogRows): Promise<CatalogSnapshot> {
  return {
    brands: await all(rows.brands, {}),
    regions: await all(rows.regions, {}),
    accounts: await all(rows.accounts, {}),
    projects: await all(rows.projects, {}),
    resources: await all(rows.resources, { deletedMs: null }),
    trafficPackages: await all(rows.trafficPackages, {}),
    exclusivePackages: await all(rows.exclusivePackages, { deletedMs: null }),
    sources: await all(rows.sources, { active: true }),
  }
}

async function all<T, Filter>(
  shelf: Pick<Shelf<T, Filter>, 'list'>,
  filter: Filter,
): Promise<readonly T[]> {
  const found: T[] = []
  let cursor: string | null = null
  do {
    const { items, nextCursor } = await shelf.list(filter, { limit: 1000, cursor })
    found.push(...items)
    cursor = nextCursor
  } while (cursor !== null)
  return found
}
