/** Why a record cannot be used. The position in this list is stored while a batch is staged. */
export const REJECT_REASONS = [
  'unparseable',
  'bad_time',
  'bad_bytes',
  'bad_field',
  'line_too_long',
  'too_old',
  'from_future',
  'unknown_resource',
] as const
export type RejectReason = (typeof REJECT_REASONS)[number]
