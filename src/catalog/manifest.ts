import { LineCounter, type Document, isMap, isNode, isScalar, parseDocument } from 'yaml'
import { z } from 'zod'
import { AppError, type Problem } from '../core/errors.ts'
import { BytesInput, InstantInput, NameInput, toProblems } from './input.ts'
import { AddRegion, CreateAccount, CreateResource, CreateSource, UpdateBrand } from './inputs.ts'
import { canonicalAddress, canonicalName, expectedName } from './names.ts'
import {
  CreateExclusivePackage,
  CreateTrafficPackage,
  findPackageProblems,
} from './package-inputs.ts'
import { sharedResource } from './package-scope.ts'

const BrandEntry = UpdateBrand.required({ name: true })
const RegionEntry = AddRegion.partial().required({ region: true, name: true, zones: true })
const ProjectEntry = z.strictObject({
  id: CreateAccount.shape.defaultProjectId,
  name: NameInput,
  default: z.literal(true).optional(),
})
const AccountEntry = z.strictObject({
  id: CreateAccount.shape.id,
  name: NameInput,
  email: z.string().max(254).optional(),
  brand: CreateAccount.shape.brand,
  parent: CreateAccount.shape.parent,
  zone: CreateAccount.shape.zone,
  number: CreateAccount.shape.number,
  projects: z.array(ProjectEntry).optional(),
})
const ResourceEntry = CreateResource.extend({
  region: CreateResource.shape.region.unwrap().optional(),
  kind: CreateResource.shape.kind.unwrap().optional(),
  gatewayType: CreateResource.shape.gatewayType.unwrap().optional(),
  payMode: CreateResource.shape.payMode.unwrap().optional(),
}).transform((entry, context) => {
  const name = canonicalName(entry.meter, entry.name)
  if (name !== undefined) return { ...entry, name }
  const message = `must be ${expectedName(entry.meter)}`
  context.addIssue({ code: 'custom', path: ['name'], message })
  return z.NEVER
})
const TrafficEntry = CreateTrafficPackage.extend({
  type: z.literal('traffic'),
  // What repeats the file must know the package again; nothing else about it is unique.
  id: z.string().regex(/^pkg-[A-Za-z0-9_-]{1,60}$/, 'must look like pkg-acme-2026'),
  meter: CreateTrafficPackage.shape.meter.unwrap().optional(),
  projects: CreateTrafficPackage.shape.projects.unwrap().optional(),
  resources: CreateTrafficPackage.shape.resources.unwrap().optional(),
  windows: CreateTrafficPackage.shape.windows.unwrap().optional(),
  size: BytesInput,
  endAt: InstantInput.nullable().optional(),
  firstUseMonths: CreateTrafficPackage.shape.firstUseMonths.unwrap().optional(),
  paid: CreateTrafficPackage.shape.paid.unwrap().optional(),
  offer: CreateTrafficPackage.shape.offer.unwrap().optional(),
}).superRefine((entry, context) => {
  const { meter = 'cdn', windows = [], firstUseMonths = null, ...rest } = entry
  for (const { field, message } of findPackageProblems({
    ...rest,
    meter,
    windows,
    firstUseMonths,
  })) {
    const path = (field.match(/\w+/g) ?? []).map((part) => (/^\d/.test(part) ? Number(part) : part))
    context.addIssue({ code: 'custom', path, message })
  }
})
const ExclusiveEntry = CreateExclusivePackage.extend({
  type: z.literal('exclusive'),
  resource: z.string().transform((text) => canonicalAddress(text) ?? text),
  size: BytesInput,
})

/** What `weir apply` reads: the part of the catalog that the file speaks for. */
export const Manifest = z.strictObject({
  brands: z.array(BrandEntry).optional(),
  regions: z.array(RegionEntry).optional(),
  accounts: z.array(AccountEntry).optional(),
  resources: z.array(ResourceEntry).optional(),
  packages: z.array(z.discriminatedUnion('type', [TrafficEntry, ExclusiveEntry])).optional(),
  sources: z
    .array(
      CreateSource.extend({
        account: CreateSource.shape.account.unwrap().optional(),
        expects: CreateSource.shape.expects.unwrap().optional(),
      }),
    )
    .optional(),
})
export type Manifest = z.output<typeof Manifest>

/**
 * Reads a catalog file.
 *
 * Errors: `parameter_invalid` listing every problem as `file:line:column field message`.
 */
export function parseManifest(text: string, file: string): Manifest {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines })
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset)
    return `${file}:${line}:${col}`
  }
  if (document.errors.length > 0) {
    const texts = document.errors.map((error) => {
      const [summary = error.message] = error.message.split('\n')
      return `${at(error.pos[0])} ${summary.replace(/ at line \d+, column \d+:?$/, '')}`
    })
    throw new AppError('parameter_invalid', texts.join('\n'))
  }
  const parsed = Manifest.safeParse(document.toJS() ?? {}, { reportInput: true })
  const found = parsed.success
    ? [...findRepeats(parsed.data), ...findStacked(parsed.data)]
    : parsed.error.issues.flatMap((issue) =>
        toProblems(issue).map((problem) => ({ path: pathOf(issue, problem), problem })),
      )
  if (parsed.success && found.length === 0) return parsed.data
  const placed = found.map(({ path, problem }) => ({
    offset: offsetOf(document, path),
    problem,
  }))
  placed.sort((a, b) => a.offset - b.offset)
  const texts = placed.map(
    ({ offset, problem }) => `${at(offset)} ${problem.field} ${problem.message}`,
  )
  const problems = placed.map(({ problem }) => problem)
  throw new AppError('parameter_invalid', texts.join('\n'), { problems })
}

interface Found {
  readonly path: readonly PropertyKey[]
  readonly problem: Problem
}

function pathOf(issue: z.core.$ZodIssue, problem: Problem): readonly PropertyKey[] {
  if (issue.code !== 'unrecognized_keys') return issue.path
  const key = issue.keys.find(
    (each) => problem.field === each || problem.field.endsWith(`.${each}`),
  )
  return [...issue.path, ...(key === undefined ? [] : [key])]
}

/** Finds where a field stands; for one that is missing, where what should hold it stands. */
function offsetOf(document: Document, path: readonly PropertyKey[]): number {
  for (let depth = path.length; depth >= 0; depth -= 1) {
    const parent: unknown =
      depth === 0 ? document.contents : document.getIn(path.slice(0, depth - 1), true)
    const key = path[depth - 1]
    if (depth > 0 && isMap(parent)) {
      const pair = parent.items.find((item) => isScalar(item.key) && item.key.value === key)
      if (pair !== undefined && isNode(pair.key)) return pair.key.range?.[0] ?? 0
      continue
    }
    const node: unknown = depth === 0 ? parent : document.getIn(path.slice(0, depth), true)
    if (isNode(node)) return node.range?.[0] ?? 0
  }
  return 0
}

/** Two entries of one natural name would take turns for ever. */
function findRepeats(manifest: Manifest): Found[] {
  const lists: readonly (readonly [keyof Manifest, readonly (readonly string[])[]])[] = [
    ['brands', (manifest.brands ?? []).map((entry) => [entry.name])],
    ['regions', (manifest.regions ?? []).map((entry) => [entry.region])],
    ['accounts', (manifest.accounts ?? []).map((entry) => [entry.name])],
    ['resources', (manifest.resources ?? []).map(resourceKey)],
    ['packages', (manifest.packages ?? []).map(packageKey)],
    ['sources', (manifest.sources ?? []).map((entry) => [entry.name])],
  ]
  const found = lists.flatMap(([section, keys]) => repeatsOf([section], keys))
  for (const [index, account] of (manifest.accounts ?? []).entries()) {
    const projects = account.projects ?? []
    const path = ['accounts', index, 'projects']
    found.push(
      ...repeatsOf(
        path,
        projects.map((project) => [project.name]),
      ),
    )
    const defaults = projects.flatMap((project, at) => (project.default === true ? [at] : []))
    found.push(
      ...defaults.slice(1).map((at) => problemAt([...path, at], 'is a second default project')),
    )
  }
  return found
}

/** Two packages of one gateway at the same time would be refused one after the other. */
function findStacked({ packages = [] }: Manifest): Found[] {
  const entries = packages.flatMap((entry, index) => {
    if (entry.type !== 'traffic' || entry.meter !== 'mna') return []
    // Without a time it begins when it is applied, and only the server knows what is then.
    const startMs = entry.startAt ?? entry.purchasedAt
    if (startMs === undefined) return []
    const resourceIds = entry.resources?.map((ref) => `${entry.account}: ${ref}`) ?? null
    const life = { startMs, endMs: entry.endAt ?? null, refundedMs: null }
    return [{ id: entry.id, index, resourceIds, ...life }]
  })
  return entries.flatMap((entry, position) =>
    entries.slice(0, position).flatMap((earlier) => {
      const shared = sharedResource(entry, earlier)
      if (shared === undefined) return []
      const path = ['packages', entry.index, 'resources']
      const message = `${shared} has package ${earlier.id} then; packages of gateways do not stack`
      return [problemAt(path, message)]
    }),
  )
}

function repeatsOf(path: readonly PropertyKey[], keys: readonly (readonly string[])[]): Found[] {
  const seen = new Set<string>()
  return keys.flatMap((parts, index) => {
    const key = JSON.stringify(parts)
    if (!seen.has(key)) {
      seen.add(key)
      return []
    }
    return [problemAt([...path, index], `repeats ${parts.join(' ')}`)]
  })
}

function problemAt(path: readonly PropertyKey[], message: string): Found {
  const field = path
    .map((part, index) =>
      typeof part === 'number' ? `[${part}]` : `${index > 0 ? '.' : ''}${String(part)}`,
    )
    .join('')
  return { path, problem: { field, message } }
}

/** What a resource is known by across runs: its name, and whose a gateway is. */
export function resourceKey(entry: {
  readonly meter: string
  readonly name: string
  readonly account: string
}): readonly string[] {
  return entry.meter === 'mna'
    ? [entry.meter, entry.account, entry.name]
    : [entry.meter, entry.name]
}

function packageKey(entry: NonNullable<Manifest['packages']>[number]): readonly string[] {
  return entry.type === 'traffic' ? [entry.type, entry.id] : [entry.type, entry.resource]
}
