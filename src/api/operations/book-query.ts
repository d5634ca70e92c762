import { z } from 'zod'
import { METER_NAMES } from '../../meters/meter.ts'

/** Which book is asked about. */
export const BookQuery = z.strictObject({
  account: z
    .string()
    .min(1)
    .describe('Id, name or number; a sub-account stands for its parent, who pays.'),
  meter: z.enum(METER_NAMES).default('cdn'),
})

/** The account that pays. */
export interface Payer {
  readonly id: string
  /** IANA zone of its days and months. */
  readonly zone: string
}

/** Finds the payer by id, name or number. Errors: `not_found`. */
export type PayerFinder = (ref: string) => Promise<Payer>
