import { BILLING_REGIONS, ISPS, PROVINCES } from '../../meters/places.ts'
import { quote } from './render.ts'

// A place packs into 16 bits: (province × 8 + carrier) × 16 + billing region, from which the area
// follows. Grouping by one small number is several times faster than by strings.

/**
 * Names how places are packed. Codes outlive the process in one table only, `geo_prefixes`, which
 * is filled anew when this changes; usage is stored by names.
 */
export const PLACE_CODING = 'place-2'

const CN = BILLING_REGIONS.indexOf('cn')

/** Engine array literal of texts. */
export function arrayOf(values: readonly string[]): string {
  return `[${values.map(quote).join(', ')}]`
}

/**
 * Expression: the code of a place from its names; what is unknown is `others`, in the cheaper cn.
 */
export function placeCode(billingRegion: string, province: string, isp: string): string {
  const regionIndex = `transform(${billingRegion}, ${arrayOf(BILLING_REGIONS)}, range(${BILLING_REGIONS.length}), ${CN})`
  const provinceIndex = `transform(${province}, ${arrayOf(PROVINCES)}, range(${PROVINCES.length}), 0)`
  const ispIndex = `transform(${isp}, ${arrayOf(ISPS)}, range(${ISPS.length}), 0)`
  return `toUInt16((${provinceIndex} * 8 + ${ispIndex}) * 16 + ${regionIndex})`
}

/** Expressions by column: the names from the code of a place. */
export function placeNames(code: string) {
  return {
    area: `if(${code} % 16 = ${CN}, 'cn', 'abroad')`,
    billing_region: `arrayElement(${arrayOf(BILLING_REGIONS)}, ${code} % 16 + 1)`,
    province: `arrayElement(${arrayOf(PROVINCES)}, intDiv(${code}, 128) + 1)`,
    isp: `arrayElement(${arrayOf(ISPS)}, intDiv(${code}, 16) % 8 + 1)`,
  }
}

/** Expression: of the code of a place, what is left without province and carrier. */
export function withoutProvince(code: string): string {
  return `${code} % 16`
}

/** Expression: an address given as text, IPv4 mapped into IPv6; `::` for what is no address. */
export function addressOf(client: string): string {
  return `toIPv6OrDefault(${client})`
}

/** Expression: the code of the place of an address; cn, others, others (1) where none is known. */
export function placeOfAddress(address: string): string {
  return `dictGet('geo_places', 'place', tuple(${address}))`
}

/** Expression: 4 or 6, or 0 for what is no address. */
export function versionOfAddress(address: string): string {
  const mapped = `${address} >= toIPv6('::ffff:0.0.0.0') AND ${address} <= toIPv6('::ffff:255.255.255.255')`
  return `toUInt8(multiIf(${address} = toIPv6('::'), 0, ${mapped}, 4, 6))`
}
