/**
 * Quantities as people write them in rule packs, read exactly and written back.
 *
 * Shape: a text that is no such quantity reads as undefined; what is written reads back equal.
 */
import { parseBytes } from '../catalog/input.ts'
import type { Bytes } from '../core/units.ts'
import type { TrafficRule } from './rules.ts'

export { formatMinute, formatWindow, parseMinute, parseWindow } from '../core/day-window.ts'

const VOLUME_UNITS: readonly (readonly [name: string, scale: bigint])[] = [
  ['B', 1n],
  ['kB', 10n ** 3n],
  ['MB', 10n ** 6n],
  ['GB', 10n ** 9n],
  ['TB', 10n ** 12n],
  ['PB', 10n ** 15n],
  ['KiB', 1n << 10n],
  ['MiB', 1n << 20n],
  ['GiB', 1n << 30n],
  ['TiB', 1n << 40n],
  ['PiB', 1n << 50n],
]

const RATE_UNITS: readonly (readonly [name: string, scale: bigint])[] = [
  ['bps', 1n],
  ['kbps', 10n ** 3n],
  ['Mbps', 10n ** 6n],
  ['Gbps', 10n ** 9n],
  ['Tbps', 10n ** 12n],
  ['Kibps', 1n << 10n],
  ['Mibps', 1n << 20n],
  ['Gibps', 1n << 30n],
  ['Tibps', 1n << 40n],
]

/**
 * Reads `1GiB`, `1.5 TB` or `0B`.
 *
 * Limits: a unit is needed and its case counts, since 1Gb is eight times less than 1GB.
 */
export function parseVolume(text: string): Bytes | undefined {
  const unit = /^\d[\d.]*\s*([A-Za-z]+)$/.exec(text)?.[1]
  return VOLUME_UNITS.some(([name]) => name === unit) ? parseBytes(text) : undefined
}

/** Writes bytes in the largest unit that is exact. */
export function formatVolume(bytes: Bytes): string {
  return formatIn(bytes, VOLUME_UNITS)
}

/** Reads `100Mbps` or `1.5 Gbps` as bits per second; Mibps are 2^20. */
export function parseRate(text: string): bigint | undefined {
  const match = /^(\d{1,15})(?:\.(\d{1,6}))?\s*([A-Za-z]+)$/.exec(text)
  const scale = RATE_UNITS.find(([name]) => name === match?.[3])?.[1]
  if (match === null || scale === undefined) return undefined
  const [, whole = '', fraction = ''] = match
  const divisor = 10n ** BigInt(fraction.length)
  const product = BigInt(whole + fraction) * scale
  return product % divisor === 0n ? product / divisor : undefined
}

/** Writes bits per second in the largest unit that is exact. */
export function formatRate(rateBps: bigint): string {
  return formatIn(rateBps, RATE_UNITS)
}

function formatIn(quantity: bigint, units: readonly (readonly [string, bigint])[]): string {
  const exact = units.filter(([, scale]) => quantity % scale === 0n)
  const [name, scale] = exact.reduce(
    (best, unit) => (quantity !== 0n && unit[1] > best[1] ? unit : best),
    units[0] ?? ['', 1n],
  )
  return `${quantity / scale}${name}`
}

/** Billed bytes per raw byte, in lowest terms. */
export type Overhead = TrafficRule['overhead']

/** Reads what is added: `10%` and `1/10` both bill 11 bytes for 10. */
export function parseOverhead(text: string): Overhead | undefined {
  const match = /^(\d{1,6})\s*(?:%|\/\s*(\d{1,6}))$/.exec(text)
  if (match === null) return undefined
  const added = BigInt(match[1] ?? '')
  const denominator = BigInt(match[2] ?? '100')
  if (denominator === 0n) return undefined
  const numerator = denominator + added
  const divisor = greatestCommonDivisor(numerator, denominator)
  return { numerator: numerator / divisor, denominator: denominator / divisor }
}

/** Writes what is added: whole percents where they are exact, a fraction otherwise. */
export function formatOverhead({ numerator, denominator }: Overhead): string {
  const added = numerator - denominator
  return (added * 100n) % denominator === 0n
    ? `${(added * 100n) / denominator}%`
    : `${added}/${denominator}`
}

function greatestCommonDivisor(a: bigint, b: bigint): bigint {
  return b === 0n ? a : greatestCommonDivisor(b, a % b)
}
