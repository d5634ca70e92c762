import { readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { renderCreate, type Topology } from './render.ts'
import { TABLES } from './tables.ts'

const TOPOLOGIES: readonly Topology[] = [
  { kind: 'embedded' },
  { kind: 'single' },
  { kind: 'cluster', cluster: 'weir' },
]

// Stored tables outlive releases: a changed golden is a change that existing stores do not get.
const CASES = TOPOLOGIES.flatMap((topology) =>
  TABLES.map((table) => ({ kind: topology.kind, name: table.name, table, topology })),
)

test.each(CASES)('$kind: the definition of $name', async ({ kind, name, table, topology }) => {
  const sql = renderCreate(table, topology)
    .map((statement) => `${statement};\n`)
    .join('\n')
  await expect(sql).toMatchFileSnapshot(`testdata/ddl/${kind}/${name}.sql`)
})

test.each(TOPOLOGIES)('$kind: no golden is left of a table that is gone', ({ kind }) => {
  const names = readdirSync(new URL(`testdata/ddl/${kind}`, import.meta.url))
  expect(names.sort()).toEqual(TABLES.map(({ name }) => `${name}.sql`).sort())
})
