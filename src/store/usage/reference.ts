import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { EpochMs } from '../../core/clock.ts'
import { METER_NAMES, type MeterName } from '../../meters/meter.ts'
import type { Engine } from './engine.ts'
import { PLACE_CODING, placeCode } from './places.ts'

/** Who owned what was called `name` during `[fromMs, toMs)`; null: still does. */
export interface Attribution {
  readonly meter: MeterName
  readonly name: string
  readonly resourceId: string
  readonly accountId: string
  readonly projectId: string
  readonly kind: string
  readonly gatewayType: number
  readonly region: string
  readonly fromMs: EpochMs
  readonly toMs: EpochMs | null
}

const VERSION_COLUMNS = ['account', 'project', 'resource', 'kind', 'gateway_type', 'region']

/**
 * Lookup tables beside the usage tables, and the dictionaries that the engine serves from memory.
 *
 * `attribution_<meter>`: name and minute → version; `attribution_versions`: version → owner;
 * `geo_places`: address → place.
 */
export const REFERENCE_STATEMENTS: readonly string[] = [
  `CREATE TABLE IF NOT EXISTS attribution
(
  meter String, name String, valid_from UInt32, valid_to UInt32, version UInt32,
  ${VERSION_COLUMNS.map((column) => `${column} String`).join(', ')}
)
ENGINE = MergeTree ORDER BY (meter, name, valid_from)`,
  ...METER_NAMES.map(
    (meter) => `CREATE DICTIONARY IF NOT EXISTS attribution_${meter}
(name String, valid_from UInt32, valid_to UInt32, version UInt32)
PRIMARY KEY name
SOURCE(CLICKHOUSE(TABLE 'attribution' WHERE 'meter = \\'${meter}\\''))
LAYOUT(COMPLEX_KEY_RANGE_HASHED()) RANGE(MIN valid_from MAX valid_to) LIFETIME(0)`,
  ),
  `CREATE DICTIONARY IF NOT EXISTS attribution_versions
(version UInt64, ${VERSION_COLUMNS.map((column) => `${column} String`).join(', ')})
PRIMARY KEY version
SOURCE(CLICKHOUSE(TABLE 'attribution')) LAYOUT(HASHED()) LIFETIME(0)`,
  `CREATE TABLE IF NOT EXISTS geo_prefixes (prefix String, place UInt16, version String)
ENGINE = MergeTree ORDER BY prefix`,
  // Empty but for a moment, so that it need not be altered when it changes.
  'DROP TABLE IF EXISTS geo_names',
  `CREATE TABLE geo_names (prefix String, billing_region String, province String, isp String)
ENGINE = Memory`,
  `CREATE DICTIONARY IF NOT EXISTS geo_places (prefix String, place UInt16 DEFAULT 1)
PRIMARY KEY prefix
SOURCE(CLICKHOUSE(TABLE 'geo_prefixes')) LAYOUT(IP_TRIE) LIFETIME(0)`,
]

/** Unix seconds as text; the end of 32-bit time when open. */
function secondsText(instantMs: EpochMs | null): string {
  const seconds = instantMs === null ? 0xffff_ffff : Math.floor(instantMs / 1000)
  return String(Math.min(Math.max(seconds, 0), 0xffff_ffff))
}

function tsvText(value: string): string {
  return value.replace(/[\\\t\n]/g, (c) => ({ '\\': '\\\\', '\t': '\\t', '\n': '\\n' })[c] ?? c)
}

/** Replaces the engine's picture of who owns what. Called between batches, never during one. */
export async function replaceAttribution(
  engine: Engine,
  attributions: readonly Attribution[],
  directory: string,
): Promise<void> {
  const lines: string[] = []
  for (const [index, version] of attributions.entries()) {
    // Both ends of a range dictionary are inclusive, and its minutes are whole.
    const from = secondsText(Math.floor(version.fromMs / 60_000) * 60_000)
    const to = secondsText(
      version.toMs === null ? null : Math.floor(version.toMs / 60_000) * 60_000 - 1000,
    )
    if (Number(to) < Number(from)) continue
    const owner = [
      version.accountId,
      version.projectId,
      version.resourceId,
      version.kind,
      String(version.gatewayType),
      version.region,
    ]
    for (const name of new Set([version.name, version.resourceId])) {
      const row = [version.meter, name, from, to, String(index + 1), ...owner]
      lines.push(row.map(tsvText).join('\t'))
    }
  }
  const path = join(directory, 'attribution.tsv')
  await writeFile(path, lines.map((line) => `${line}\n`).join(''))
  await engine.command('TRUNCATE TABLE attribution')
  const columns = ['meter', 'name', 'valid_from', 'valid_to', 'version', ...VERSION_COLUMNS]
  if (lines.length > 0) await engine.insertTsv('attribution', columns, path)
  for (const meter of METER_NAMES) {
    await engine.command(`SYSTEM RELOAD DICTIONARY attribution_${meter}`)
  }
  await engine.command('SYSTEM RELOAD DICTIONARY attribution_versions')
}

/**
 * Installs an address database unless the engine already has this version, packed in this way.
 *
 * `writePrefixes` writes `prefix, billing region, province, isp` as tab-separated lines.
 */
export async function installPlaces(
  engine: Engine,
  version: string,
  writePrefixes: (path: string) => Promise<unknown>,
  directory: string,
): Promise<void> {
  const packed = `${version} ${PLACE_CODING}`
  const installed = await engine.rows<{ version: string }>(
    'SELECT g.version AS version FROM geo_prefixes AS g LIMIT 1',
  )
  if (installed[0]?.version === packed) return
  const path = join(directory, 'places.tsv')
  await writePrefixes(path)
  await engine.command('TRUNCATE TABLE geo_names')
  await engine.command('TRUNCATE TABLE geo_prefixes')
  await engine.insertTsv('geo_names', ['prefix', 'billing_region', 'province', 'isp'], path)
  // The version comes last, in the same insert as every prefix: a half-filled table has no version.
  await engine.command(
    `INSERT INTO geo_prefixes (prefix, place, version)
SELECT n.prefix, ${placeCode('n.billing_region', 'n.province', 'n.isp')}, {version:String} FROM geo_names AS n
SETTINGS min_insert_block_size_rows = 100000000, min_insert_block_size_bytes = 0, max_insert_threads = 1`,
    { parameters: { version: packed } },
  )
  await engine.command('TRUNCATE TABLE geo_names')
  await engine.command('SYSTEM RELOAD DICTIONARY geo_places')
}
