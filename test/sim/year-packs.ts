/** Rule packs of a simulated year: those that are shipped, and ones that try the other choices. */
import { readFileSync } from 'node:fs'
import type { MeterName } from '../../src/catalog/model.ts'
import { parseRulePack, type RulePack } from '../../src/rating/rule-pack.ts'

/** Packs that do not come with Weir, as they are written. */
export const YEAR_PACK_TEXTS: readonly string[] = [
  `
name: sim-windows
version: 1
description: Night and day apart, per project and per resource, by the day.
currency: CNY
rules:
  - type: traffic
    name: day
    level: project
    windows: ["07:00-23:00"]
    overhead: 1/8
    unit: GB
    tiering: volume
    period: day
    tiers: [{ upTo: 3GB, price: "0.31" }, { price: "0.23" }]
  - type: traffic
    name: night
    level: resource
    windows: ["23:00-07:00"]
    freeBelowPerDay: 2GB
    scope: { directions: [in, out] }
    period: day
    price: "0.11"
packages:
  burnOrder: [narrowest-scope, smallest-size, id]
  arrears: { absorb: never }
`,
  `
name: sim-month-tiers
version: 1
description: Graduated by the month per project, orders carried until a package comes.
currency: CNY
rules:
  - type: traffic
    name: both-ways
    level: project
    scope: { directions: [in, out] }
    overhead: 10%
    period: month
    tiers: [{ upTo: 20GiB, price: "0.5" }, { upTo: 100GiB, price: "0.4" }, { price: "0.3" }]
packages:
  burnOrder: [unlimited-last, earliest-purchase, id]
`,
  `
name: sim-carry
version: 1
description: Arrears wait for a package, whatever it takes.
currency: CNY
rules:
  - { type: traffic, name: out, price: "1" }
packages:
  arrears: { absorb: larger-package, bill: carry }
`,
  `
name: sim-quanta
version: 1
description: Orders of whole gibibytes.
currency: CNY
rules:
  - { type: traffic, name: cn, scope: { areas: [cn], kinds: [static] }, period: day, price: "0.2" }
  - { type: traffic, name: abroad, scope: { areas: [abroad], kinds: [static] }, price: "0.4" }
packages:
  arrears: { quantum: 1GiB, rounding: up }
`,
  `
name: sim-regions
version: 1
description: Prices by region abroad, orders of whole gibibytes, peaks of regions.
currency: CNY
rules:
  - { type: traffic, name: apac1, scope: { areas: [apac1] }, period: day, price: "0.7" }
  - { type: traffic, name: others, scope: { areas: [cn, eu-na] }, unit: GB, price: "0.3" }
  - { type: traffic, name: unknown, scope: { areas: [abroad-other] }, price: "0.6" }
  - { type: bandwidth, name: peak, mode: daily-peak, scope: { areas: [apac1, cn] }, price: "0.2" }
  - { type: bandwidth, name: m95, mode: monthly-95, scope: { areas: [abroad-other, eu-na] }, price: "0.5" }
packages:
  burnOrder: [narrowest-scope, earliest-expiry, id]
  arrears: { quantum: 1GiB, rounding: nearest }
`,
  `
name: sim-peaks
version: 1
description: Every monthly mode there is, and commitments.
currency: USD
rules:
  - { type: bandwidth, name: m95, mode: monthly-95, direction: sum, price: "0.5", missingSlot: exclude, rank: { percent: 5, rounding: ceil } }
  - { type: bandwidth, name: d95, mode: mean-of-daily-95, level: resource, price: "0.5", unit: Mibps }
  - { type: bandwidth, name: peaks, mode: mean-of-daily-peaks, level: project, direction: max-per-slot, price: "0.7", validDay: { above: 1GB }, proRata: valid-days }
  - { type: bandwidth, name: fourth, mode: fourth-highest-daily-peak, slot: max-sample, price: "2" }
  - { type: bandwidth, name: sum, mode: sum-of-daily-peaks, price: "0.03", partialMonth: whole, validDay: { above: 0B }, proRata: none }
  - { type: bandwidth, name: top, mode: top-5-mean, direction: max-of-both, commit: 10Mbps, price: "1.5", overagePrice: "2.5", validDay: { above: 100MB }, proRata: valid-days }
`,
  `
name: sim-daily-peak
version: 1
description: Peaks of each day per resource, and one volume beside them.
currency: CNY
rules:
  - { type: bandwidth, name: peak, mode: daily-peak, level: resource, direction: max-of-both, commit: 1Mbps, price: "0.4" }
  - { type: traffic, name: in, scope: { directions: [in] }, period: day, price: "0.01" }
`,
]

const SHIPPED = [
  'ucloud-cdn',
  'ucloud-cdn-bandwidth',
  'ucloud-eip',
  'tencent-mna',
  'generic-95',
  'generic-traffic',
]

function readShipped(name: string): RulePack {
  const path = new URL(`../../rules/${name}.yaml`, import.meta.url)
  return parseRulePack(readFileSync(path, 'utf8'), `${name}.yaml`)
}

/** All packs of a simulated year. */
export const YEAR_PACKS: readonly RulePack[] = [
  ...SHIPPED.map(readShipped),
  ...YEAR_PACK_TEXTS.map((text) => parseRulePack(text.trim(), 'sim.yaml')),
]

/** The packs by which a meter may be billed. */
export function packsFor(meter: MeterName): readonly RulePack[] {
  return YEAR_PACKS.filter(({ meters }) => meters.includes(meter))
}
