import { createCatalog } from './catalog/catalog.ts'
import type { AdminToken } from './catalog/model.ts'
import type { Config } from './config/config.ts'
import { redactUrl } from './config/load.ts'
import type { Clock } from './core/clock.ts'
import { AppError } from './core/errors.ts'
import { openCatalogAlone } from './store/control/catalog-alone.ts'

/** An admin token that was made, and the other ones that still open the admin API. */
export interface ResetToken {
  readonly adminToken: AdminToken
  /** In this answer and never again. */
  readonly token: string
  readonly others: readonly AdminToken[]
}

/** Other tokens that are told; whoever has more asks the server for all. */
const OTHERS_MAX = 100

/**
 * Makes an admin token in the control store itself, whether a server runs on it or not.
 *
 * Errors: `config_invalid` where there is no control store of this release; `operation_denied`
 * before a server has made the first token.
 */
export async function resetAdminToken(config: Config, clock: Clock): Promise<ResetToken> {
  const { location } = config.controlStore
  const opened = await openCatalogAlone(location).catch((error: unknown) => {
    throw unusable(location, error)
  })
  try {
    const catalog = createCatalog(opened.catalog, { clock })
    const made = await catalog.resetAdminToken()
    const page = { limit: OTHERS_MAX, cursor: null }
    const { items } = await catalog.rows.adminTokens.list({ active: true }, page)
    return { ...made, others: items.filter(({ id }) => id !== made.adminToken.id) }
  } finally {
    await opened.close()
  }
}

function unusable(location: string, error: unknown): AppError {
  const place = redactUrl(location)
  const code = error instanceof Error && 'code' in error ? String(error.code) : 'no database'
  const reason =
    error instanceof AppError
      ? error.message
      : `(${code}) Check that it runs, that this user may use it, and controlStore.location.`
  return new AppError('config_invalid', `The control store ${place} cannot be used: ${reason}`, {
    cause: error,
  })
}
