import type { Clock } from '../core/clock.ts'
import type { Change } from './change.ts'
import type { AdminToken } from './model.ts'
import type { CatalogRows, CatalogStore } from './ports.ts'
import { DEFAULT_REGIONS } from './regions.ts'
import {
  createAdminToken,
  createKey,
  createSource,
  resetAdminToken,
  revokeAdminToken,
  revokeKey,
  revokeSource,
  updateSource,
} from './write-access.ts'
import {
  createAccount,
  createBrand,
  createProject,
  updateAccount,
  updateBrand,
  updateProject,
} from './write-accounts.ts'
import { createExclusivePackage, deleteExclusivePackage } from './write-exclusive.ts'
import {
  createTrafficPackage,
  refundTrafficPackage,
  updateTrafficPackage,
} from './write-packages.ts'
import {
  addRegion,
  changePayMode,
  createResource,
  deleteResource,
  moveResource,
} from './write-resources.ts'

/** Name of the first admin token, which the server makes for the operator. */
export const FIRST_ADMIN_TOKEN = 'first'

/** The catalog with its rules: every change is checked, made whole or not at all, and audited. */
export interface Catalog {
  /** For reads. */
  readonly rows: CatalogRows
  /** Changes made in the name of the actor, which the audit log records. */
  as(actor: string): CatalogWriter
  /**
   * Fills an empty catalog with the default brand and the default regions. Repeating it changes
   * nothing.
   */
  ensureDefaults(): Promise<void>
  /**
   * Makes the first admin token; undefined when there has been one. `keep` runs before it counts,
   * so that a token which could not be kept is never the only one.
   */
  ensureAdminToken(
    keep?: (token: string) => void,
  ): Promise<{ readonly adminToken: AdminToken; readonly token: string } | undefined>
  /**
   * Makes another admin token, in the name of the system: for a command beside the stores, which
   * proves by being there what a token proves to the server.
   *
   * Errors: `operation_denied` before there has been any.
   */
  resetAdminToken(): Promise<{ readonly adminToken: AdminToken; readonly token: string }>
}

type Bound<F> = F extends (change: Change, ...rest: infer A) => Promise<infer T>
  ? (...rest: A) => Promise<T>
  : never

const CHANGES = {
  createBrand,
  updateBrand,
  createAccount,
  updateAccount,
  createProject,
  updateProject,
  createKey,
  revokeKey,
  addRegion,
  createResource,
  moveResource,
  changePayMode,
  deleteResource,
  createTrafficPackage,
  updateTrafficPackage,
  refundTrafficPackage,
  createExclusivePackage,
  deleteExclusivePackage,
  createSource,
  updateSource,
  revokeSource,
  createAdminToken,
  revokeAdminToken,
}

/** Every change of the catalog, each in its own transaction. */
export type CatalogWriter = { readonly [K in keyof typeof CHANGES]: Bound<(typeof CHANGES)[K]> }

/** Puts the catalog's rules on top of a store. */
export function createCatalog(store: CatalogStore, deps: { readonly clock: Clock }): Catalog {
  const begin = <T>(actor: string, work: (change: Change) => Promise<T>): Promise<T> =>
    store.change((rows) => work({ rows, actor, nowMs: deps.clock.nowMs() }))
  return {
    rows: store.rows,
    as: (actor) => {
      const bound = Object.entries(CHANGES).map(([name, make]) => [
        name,
        (...rest: unknown[]) =>
          begin(actor, (change) =>
            (make as (change: Change, ...rest: unknown[]) => Promise<unknown>)(change, ...rest),
          ),
      ])
      return Object.fromEntries(bound) as CatalogWriter
    },
    ensureDefaults: async () => {
      // Asked outside first, so that an ordinary start writes nothing.
      if (await isFilled(store.rows)) return
      await begin('system', fillDefaults)
    },
    ensureAdminToken: async (keep) => {
      if ((await store.rows.adminTokens.find({})) !== undefined) return undefined
      return begin('system', async (change) => {
        if ((await change.rows.adminTokens.find({})) !== undefined) return undefined
        const made = await createAdminToken(change, { name: FIRST_ADMIN_TOKEN })
        keep?.(made.token)
        return made
      })
    },
    resetAdminToken: () => begin('system', resetAdminToken),
  }
}

async function isFilled(rows: CatalogRows): Promise<boolean> {
  return (await rows.brands.find({})) !== undefined && (await rows.regions.find({})) !== undefined
}

async function fillDefaults(change: Change): Promise<void> {
  const { rows } = change
  if ((await rows.brands.find({})) === undefined) await createBrand(change, { name: 'Weir' })
  if ((await rows.regions.find({})) !== undefined) return
  for (const region of DEFAULT_REGIONS) await rows.regions.insert(region)
}
