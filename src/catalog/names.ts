import { isIP } from 'node:net'
import { domainToASCII } from 'node:url'
import type { MeterName } from './model.ts'

const LABEL = /^[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?$/
const DOMAIN_LENGTH_MAX = 253
const DEVICE_LENGTH_MAX = 128

/**
 * Brings a domain name into the one form in which usage is attributed: lower case, ASCII (IDNA),
 * no trailing dot. Returns undefined for what is no domain name; wildcards and addresses are none.
 */
export function canonicalDomain(text: string): string | undefined {
  const bare = text.trim().replace(/\.$/, '')
  // The conversion cuts a URL's other parts off silently; a name that has any is none.
  if (/[\s/:?#@\\[\]%]/.test(bare)) return undefined
  const ascii = domainToASCII(bare).toLowerCase()
  if (ascii === '' || ascii.length > DOMAIN_LENGTH_MAX) return undefined
  const labels = ascii.split('.')
  if (!labels.every((label) => LABEL.test(label))) return undefined
  // An all-digit last label is an address or a typing error, never a domain.
  return /^\d+$/.test(labels.at(-1) ?? '') ? undefined : ascii
}

/**
 * Brings an IPv4 or IPv6 address into the one form in which usage is attributed.
 *
 * Shape: IPv6 compressed and lower case; an IPv4-mapped address becomes the IPv4 address.
 * Returns undefined for anything else, also for an address with a zone or a prefix length.
 * Source: RFC 5952.
 */
export function canonicalAddress(text: string): string | undefined {
  const trimmed = text.trim()
  const family = isIP(trimmed)
  if (family === 4) return trimmed
  if (family !== 6 || trimmed.includes('%')) return undefined
  const compressed = new URL(`http://[${trimmed}]/`).hostname.slice(1, -1)
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(compressed)
  if (mapped === null) return compressed
  const high = Number.parseInt(mapped[1] ?? '', 16)
  const low = Number.parseInt(mapped[2] ?? '', 16)
  return [high >> 8, high & 255, low >> 8, low & 255].join('.')
}

/** Checks a gateway device's name: printable, no spaces at the ends, at most 128 characters. */
export function canonicalDevice(text: string): string | undefined {
  const fits = text.length > 0 && text.length <= DEVICE_LENGTH_MAX
  return fits && text === text.trim() && !/\p{C}/u.test(text) ? text : undefined
}

const RULES: Readonly<
  Record<MeterName, { canonical(text: string): string | undefined; expected: string }>
> = {
  cdn: { canonical: canonicalDomain, expected: 'a domain name such as www.example.com' },
  eip: { canonical: canonicalAddress, expected: 'an IPv4 or IPv6 address such as 192.0.2.1' },
  mna: {
    canonical: canonicalDevice,
    expected: `a device name of 1 to ${DEVICE_LENGTH_MAX} printable characters`,
  },
}

/**
 * Brings a resource's name into the form in which usage names it; undefined when it cannot be one.
 */
export function canonicalName(meter: MeterName, text: string): string | undefined {
  return RULES[meter].canonical(text)
}

/** Says what a resource's name must look like, for an error message. */
export function expectedName(meter: MeterName): string {
  return RULES[meter].expected
}

/** Prefix of the ids of a meter's resources, as the vendors' clients know them. */
export const RESOURCE_ID_PREFIX: Readonly<Record<MeterName, string>> = {
  cdn: 'ucdn',
  eip: 'eip',
  mna: 'mna',
}
