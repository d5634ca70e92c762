import { AppError } from '../core/errors.ts'

/**
 * Says why a request without a valid admin token is refused, and the way out.
 *
 * Unknown and revoked tokens are refused alike: what was once valid is nobody's business.
 */
export function adminRefusal(isSent: boolean): AppError {
  const what = isSent
    ? 'This admin token is unknown or was revoked.'
    : 'Send an admin token as "Authorization: Bearer <token>".'
  return new AppError(
    'token_unknown',
    `${what} The first one is in the file admin-token of the data directory; when every one is lost, \`weir admin-token reset\` makes a new one on the server's machine.`,
  )
}
