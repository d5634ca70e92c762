import { AppError } from '../core/errors.ts'
import type { Caller, OperationDeps } from './operations/caller.ts'
import { hostName, type RawCall } from './raw-call.ts'

/** Key of a request and where it was used. */
export interface Claim {
  readonly publicKey: string
  readonly dialect: 'ucloud' | 'tencent'
  readonly call: RawCall
}

/** Who a request says it is from, and the secret that proves it. */
export interface Identity {
  readonly caller: Caller
  readonly secret: string
}

/**
 * Finds who a public key belongs to at the host that was called; proves nothing yet.
 *
 * Shape: a brand with hosts is a realm: there only its own accounts' keys exist. Hosts that no
 * brand claims know every key.
 * Errors: `key_unknown`, the same for unknown, revoked, foreign and other-dialect keys.
 */
export async function identify(
  { publicKey, dialect, call }: Claim,
  deps: Pick<OperationDeps, 'catalog'>,
): Promise<Identity> {
  const host = hostName(call.hosts[0] ?? '')
  const [brand, credential] = await Promise.all([
    deps.catalog.brandOf(host),
    deps.catalog.credential(publicKey),
  ])
  if (credential === undefined) throw unknownKey('No active key pair has this public half.')
  const { account, key, secret } = credential
  if (key.dialect !== 'any' && key.dialect !== dialect) {
    throw unknownKey(`The key is for the ${key.dialect} dialect only.`)
  }
  if (brand.hosts.includes(host) && account.brandId !== brand.id) {
    throw unknownKey("The key belongs to another brand than the host's.")
  }
  if (account.parentId === null) return { caller: { account, payer: account, brand }, secret }
  const payer = await deps.catalog.account(account.parentId)
  if (payer === undefined) throw unknownKey('The account of the sub-account is gone.')
  return { caller: { account, payer, brand }, secret }
}

function unknownKey(message: string): AppError {
  return new AppError('key_unknown', message)
}
