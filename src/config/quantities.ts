const DURATION_UNITS_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
}

const SIZE_UNITS_BYTES: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
}

/**
 * Reads a duration such as `90s`, `5m` or `1h30m`.
 *
 * Shape: one or more whole numbers, each with ms, s, m, h or d; null for anything else, a bare
 * number included, because nobody remembers whether it means seconds.
 * Units: returns milliseconds.
 */
export function parseDuration(text: string): number | null {
  if (!/^(\s*\d{1,12}\s*(ms|s|m|h|d))+\s*$/.test(text)) return null
  let totalMs = 0
  for (const [, count, unit] of text.matchAll(/(\d+)\s*(ms|[smhd])/g)) {
    totalMs += Number(count) * (DURATION_UNITS_MS[unit ?? ''] ?? Number.NaN)
  }
  return Number.isSafeInteger(totalMs) ? totalMs : null
}

/** Writes a duration in the largest unit that is exact; `parseDuration` reads it back. */
export function formatDuration(durationMs: number): string {
  return formatIn(durationMs, DURATION_UNITS_MS)
}

/**
 * Reads a size such as `50MB` or `1 GiB`: kB, MB, GB, TB are powers of 1000, KiB … of 1024.
 *
 * Shape: null for anything else.
 * Units: returns bytes.
 */
export function parseSize(text: string): number | null {
  const match = /^\s*(\d{1,12}(?:\.\d{1,6})?)\s*([A-Za-z]{1,3})\s*$/.exec(text)
  const unit = match?.[2]?.toLowerCase().replace(/^([kmgt])$/, '$1b')
  const factor = Object.entries(SIZE_UNITS_BYTES).find(([name]) => name.toLowerCase() === unit)?.[1]
  if (match === null || factor === undefined) return null
  const sizeBytes = Number(match[1]) * factor
  return Number.isSafeInteger(sizeBytes) ? sizeBytes : null
}

/** Writes a size in the largest unit that is exact; `parseSize` reads it back. */
export function formatSize(sizeBytes: number): string {
  return formatIn(sizeBytes, SIZE_UNITS_BYTES)
}

function formatIn(quantity: number, units: Readonly<Record<string, number>>): string {
  const bySize = Object.entries(units).sort((a, b) => b[1] - a[1])
  const [name, factor] = bySize.find(([, unit]) => quantity !== 0 && quantity % unit === 0) ??
    bySize.at(-1) ?? ['', 1]
  return `${quantity / factor}${name}`
}
