import { addDays, DEFAULT_ZONE } from '../core/period.ts'
import {
  EXAMPLE_ACCOUNT,
  EXAMPLE_ADDRESSES,
  EXAMPLE_DEVICES,
  EXAMPLE_DOMAINS,
  EXAMPLE_PROJECTS,
  EXAMPLE_SOURCES,
} from './resources.ts'

/** Everything was there two months before the usage ends. */
const RESOURCES_BEFORE_DAYS = 60
/** Packages were bought, and the exclusive one began, some weeks before. */
const BOUGHT_BEFORE_DAYS = 40
const EXCLUSIVE_BEFORE_DAYS = 45

const PACKAGES = [
  // Ends before the other one of its kind, so it is drawn on first.
  { id: 'pkg-example-trial', area: 'cn', kind: 'static', size: '50 GiB', endsInDays: 20 },
  { id: 'pkg-example-cn', area: 'cn', kind: 'static', size: '500 GiB', endsInDays: 325 },
  { id: 'pkg-example-abroad', area: 'abroad', kind: 'static', size: '100 GiB', endsInDays: 325 },
  { id: 'pkg-example-dcdn-cn', area: 'cn', kind: 'dynamic', size: '1 GiB', endsInDays: 325 },
  {
    id: 'pkg-example-dcdn-abroad',
    area: 'abroad',
    kind: 'dynamic',
    size: '200 MiB',
    endsInDays: 325,
  },
] as const

const account = EXAMPLE_ACCOUNT.name

/**
 * Describes the example's catalog in the terms of a catalog file, for `weir apply`.
 *
 * Time: all days begin at midnight in China; the same `endMs` gives the same catalog.
 */
export function exampleCatalog(endMs: number): Readonly<Record<string, readonly object[]>> {
  const dayText = (days: number): string =>
    new Date(addDays(endMs, days, DEFAULT_ZONE)).toISOString()
  return {
    accounts: [accountEntry()],
    resources: resourceEntries(dayText(-RESOURCES_BEFORE_DAYS)),
    packages: [
      ...PACKAGES.map(({ endsInDays, ...pack }) => ({
        type: 'traffic',
        account,
        ...pack,
        purchasedAt: dayText(-BOUGHT_BEFORE_DAYS),
        startAt: dayText(-BOUGHT_BEFORE_DAYS),
        endAt: dayText(endsInDays),
      })),
      {
        type: 'exclusive',
        resource: EXAMPLE_ADDRESSES[0].name,
        size: '200 GiB',
        resetPolicy: 'Month',
        createdAt: dayText(-EXCLUSIVE_BEFORE_DAYS),
      },
    ],
    sources: Object.entries(EXAMPLE_SOURCES).map(([meter, name]) => ({
      name,
      meters: [meter],
      account,
    })),
  }
}

function accountEntry(): object {
  const [first, ...others] = EXAMPLE_PROJECTS
  return { ...EXAMPLE_ACCOUNT, projects: [{ ...first, default: true }, ...others] }
}

function resourceEntries(createdAt: string): object[] {
  const entry = { account, createdAt }
  return [
    ...EXAMPLE_DOMAINS.map((domain) => ({ meter: 'cdn', ...entry, ...domain })),
    ...EXAMPLE_ADDRESSES.map((address) => ({ meter: 'eip', ...entry, ...address })),
    ...EXAMPLE_DEVICES.map((device) => ({ meter: 'mna', ...entry, ...device })),
  ]
}
