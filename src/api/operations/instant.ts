import { z } from 'zod'

const EXPECTED =
  'must be ISO 8601 with an offset such as 2026-11-21T00:00:00+08:00, or epoch seconds or milliseconds'

/** A moment in a native request; read as milliseconds since 1970. */
export const Instant = z
  .union([z.number(), z.string()], { error: EXPECTED })
  .transform((value, context): number => {
    const ms = toMs(value)
    if (ms !== undefined) return ms
    context.addIssue({ code: 'custom', message: EXPECTED })
    return z.NEVER
  })
  .describe(
    'ISO 8601 with an offset (2026-11-21T00:00:00+08:00), or epoch seconds or milliseconds.',
  )

function toMs(value: number | string): number | undefined {
  if (typeof value === 'number' || /^\d+$/.test(value)) {
    const number = Number(value)
    return number < 1e11 ? number * 1000 : number
  }
  if (!/(Z|[+-]\d{2}:?\d{2})$/i.test(value)) return undefined
  const ms = Date.parse(value)
  return Number.isNaN(ms) ? undefined : ms
}
