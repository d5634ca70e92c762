import { dimensionsOf, type Meter } from '../../meters/meter.ts'

/**
 * Expression: what a row says of a dimension.
 *
 * Rows that are older than a dimension have no value of it; what they mean is what another
 * dimension says. Whatever reads a dimension, be it to answer, to select or to roll up, reads it by
 * this, so that old rows and new ones are told apart by nobody.
 */
export function dimensionValue(meter: Meter, name: string, table = 't'): string {
  const { emptyMeans } = dimensionsOf(meter).find((each) => each.name === name) ?? {}
  const column = `${table}.${name}`
  return emptyMeans === undefined ? column : `if(${column} = '', ${table}.${emptyMeans}, ${column})`
}
