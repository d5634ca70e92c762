import type { IngestProgress, IngestSummary } from '../sources/access-log/ingest-file.ts'

/** Width of the bar in characters. */
const BAR_WIDTH = 24

/**
 * Formats how far an ingestion is, for one terminal line.
 *
 * Shape: `[bar] percent  lines  lines/s  MB/s  ETA` where the size is known, else without bar and
 * ETA.
 * Units: MB is 10^6 bytes of the files as they lie on the disk.
 */
export function formatProgress(progress: IngestProgress, elapsedMs: number): string {
  const seconds = Math.max(elapsedMs, 1) / 1000
  const { bytesRead, bytesTotal, lines, linesLoaded } = progress
  const counts = [
    `${formatCount(lines)} lines`,
    `${formatCount(linesLoaded)} loaded`,
    `${formatCount(lines / seconds)} lines/s`,
    `${(bytesRead / seconds / 1e6).toFixed(1)} MB/s`,
  ]
  if (bytesTotal === null || bytesTotal === 0) return counts.join('  ')
  const share = Math.min(1, bytesRead / bytesTotal)
  const filled = Math.floor(share * BAR_WIDTH)
  const bar = `[${'#'.repeat(filled)}${'-'.repeat(BAR_WIDTH - filled)}]`
  const percent = `${Math.floor(share * 100)}%`.padStart(4)
  const leftMs =
    bytesRead === 0 ? null : Math.max(0, (elapsedMs * (bytesTotal - bytesRead)) / bytesRead)
  return [
    `${bar} ${percent}`,
    ...counts,
    `ETA ${leftMs === null ? '?' : formatDuration(leftMs)}`,
  ].join('  ')
}

/** Formats what became of everything, as a table for people. */
export function formatSummary(summary: IngestSummary): string {
  const { files, lines, accepted, duplicate, rejected, bytesOut, elapsedMs } = summary
  const total = Object.values(rejected).reduce((sum, count) => sum + count, 0)
  const rate = lines / (Math.max(elapsedMs, 1) / 1000)
  const rows: [string, string][] = [
    ['files', formatExact(files)],
    ['lines', formatExact(lines)],
    ['accepted', formatExact(accepted)],
    ['duplicate', formatExact(duplicate)],
    ['rejected', formatExact(total)],
    ...Object.entries(rejected)
      .filter(([, count]) => count > 0)
      .sort(([, a], [, b]) => b - a)
      .map(([reason, count]): [string, string] => [`  ${reason}`, formatExact(count)]),
    ['bytes out', formatExact(bytesOut)],
    ['elapsed', `${(elapsedMs / 1000).toFixed(1)} s (${formatCount(rate)} lines/s)`],
  ]
  const width = Math.max(...rows.map(([name]) => name.length)) + 2
  return rows.map(([name, value]) => `${name.padEnd(width)}${value}\n`).join('')
}

/** 1234567 → `1,234,567`. */
function formatExact(value: number | bigint): string {
  return value.toString().replaceAll(/\B(?=(\d{3})+$)/g, ',')
}

/** 1234567 → `1.23 M`. */
function formatCount(value: number): string {
  if (value >= 1e6) return `${(value / 1e6).toFixed(2)} M`
  if (value >= 1e4) return `${(value / 1e3).toFixed(0)} k`
  return Math.floor(value).toString()
}

/** Minutes and seconds, with hours where there are some. */
function formatDuration(ms: number): string {
  const total = Math.ceil(ms / 1000)
  const two = (value: number): string => String(value).padStart(2, '0')
  const hours = Math.floor(total / 3600)
  const minutes = Math.floor(total / 60) % 60
  return hours > 0 ? `${hours}:${two(minutes)}:${two(total % 60)}` : `${minutes}:${two(total % 60)}`
}
