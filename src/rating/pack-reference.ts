/** Writes the reference page of rule packs from the schema that reads them. */
import { z } from 'zod'
import {
  BandwidthEntry,
  BandwidthScope,
  Rank,
  Tier,
  TrafficEntry,
  TrafficScope,
  ValidDay,
} from './pack-entries.ts'
import { OfferEntry } from './pack-offers.ts'
import { ArrearsEntry, PackagesEntry } from './pack-packages.ts'
import { PackEntry } from './rule-pack.ts'

interface JsonSchema {
  readonly value?: string
  readonly description?: string
  readonly settles?: string
  readonly fallback?: string
  readonly default?: unknown
  readonly const?: string
  readonly enum?: readonly string[]
  readonly items?: JsonSchema
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
}

const HEAD = `# Rule packs

Written from the schema in \`src/rating\`; a test keeps the two equal.

A rule pack is a YAML file that says how usage becomes money. Vendors choose differently wherever a
rule can be read in two ways, so every such choice is a field with a default; what a default settles
is said beside it. [Charge modes](../explanation/charge-modes.md) say which account is billed by
which pack. Where nothing else decides, it favours the payer. An unknown key is an error.

\`\`\`yaml
name: my-cdn
version: 1
description: CDN traffic in China, cheaper at night.
currency: CNY
meters: [cdn]
rules:
  - type: traffic
    name: cn-day
    scope: { areas: [cn] }
    windows: ["07:00-23:00"]
    overhead: 10%
    tiers:
      - { upTo: 10TiB, price: "0.20" }
      - { price: "0.15" }
  - { type: traffic, name: cn-night, scope: { areas: [cn] }, windows: ["23:00-07:00"], price: "0.10" }
\`\`\`

\`weir rules list\` names the packs that come with Weir; \`weir rules show NAME --source\` prints one with
its comments, to start from; \`weir rules check FILE\` reports every mistake of a file as
\`file:line:column: field: what is wrong\`, or says what it understood. Prices of shipped packs are
examples.

## How quantities are written

| quantity | written | read as |
|---|---|---|
| amount | \`"0.135"\`, always in quotes | exact, at most nine decimals; a YAML number is an error, because it may have lost digits |
| volume | \`10TB\`, \`1.5 GiB\`, \`0B\` | kB, MB, GB, TB, PB are powers of 1000, KiB … PiB of 1024; a unit is needed, its case counts, and it must come out at whole bytes |
| bandwidth | \`100Mbps\`, \`1.5Gbps\` | kbps … Tbps are powers of 1000, Kibps … Tibps of 1024 |
| percent | \`5\`; \`10%\` for \`overhead\` | whole numbers; other shares of \`overhead\` as a fraction, \`1/8\` |
| times of day | \`"23:00-07:00"\` | local times of the account’s zone; end exclusive, wraps around midnight; may end at 24:00 |

## Prices and packages by region abroad

Abroad is sold as a whole or in six regions: \`apac1\`, \`apac2\`, \`apac3\`, \`eu-na\`, \`me-africa\`,
\`latam\`. [Attribution](../explanation/attribution.md) says which country is in which. \`areas\` takes
both: \`abroad\` is all of them and what no region is known of, a region only what is known to have
moved there, and \`abroad-other\` only what no region is known of, such as records that say
\`area: abroad\` and no more. Since \`abroad\` has them all, no list names any of them beside it.

\`\`\`yaml
name: my-cdn-abroad
version: 1
description: CDN traffic abroad by region, with packages for a region and for all of them.
currency: CNY
meters: [cdn]
rules:
  - { type: traffic, name: asia, scope: { areas: [apac1, apac2, apac3] }, price: "0.45" }
  - { type: traffic, name: eu-na, scope: { areas: [eu-na] }, price: "0.30" }
  - { type: traffic, name: far, scope: { areas: [me-africa, latam] }, price: "0.70" }
  - { type: traffic, name: elsewhere, scope: { areas: [abroad-other] }, price: "0.45" }
packages:
  burnOrder: [earliest-expiry, narrowest-scope, id]
  offers:
    - { name: abroad-100gib, size: 100GiB, areas: [abroad], kinds: [static], months: 12, price: "41.00" }
    - { name: apac1-100gib, size: 100GiB, areas: [apac1], kinds: [static], months: 12, price: "38.00" }
\`\`\`

- What no rule names is not billed. \`weir rules check\` and \`weir rules add\` note which parts of
  abroad no rule prices while others have a price of their own.
- Arrears of a day are one order for all that is abroad; in a pack with a price for a region, one for
  each region and one for what no region is known of, since each is rounded for its own price.
- Where packages end together, \`narrowest-scope\` uses up the region before the whole.

## What is checked across fields

- Two traffic rules of one \`level\` whose scopes and windows can match the same byte overlap, and so do
  two bandwidth rules of one \`level\` and \`mode\` whose scopes and directions can match the same slot:
  both would bill it. Traffic and bandwidth rules do not: they are the two ways to charge.
- A rule has \`price\` or \`tiers\`; tiers ascend, and only the last is without end.
- \`rank\` stands only with a mode that ranks slots, \`overagePrice\` only with a \`commit\`, and
  \`validDay: { above }\` only with \`proRata\`.

A pack is identified by the SHA-256 of what was understood, defaults included: comments, the order of
keys and defaults that are written out change nothing. Bills name packs by it and are computed again
from the kept text, so a default never changes once it is released, and a field that is added later
counts only where it is not at its default: packs that know nothing of it keep their hash.

A pack names no time zone: days, months and windows are those of the account. When a day is settled is
the operator's choice, \`billing.settle\` of the [configuration](config.md).
`

const PAGES: readonly (readonly [heading: string, text: string, schema: z.ZodType])[] = [
  ['The file', '', PackEntry],
  ['`rules`: priced by volume', '', TrafficEntry],
  ['`scope` of a traffic rule', 'A list that is left out matches everything.', TrafficScope],
  ['`tiers`', '', Tier],
  ['`rules`: priced by bandwidth', '', BandwidthEntry],
  ['`scope` of a bandwidth rule', 'A list that is left out matches everything.', BandwidthScope],
  ['`validDay`', '', ValidDay],
  ['`rank`', '', Rank],
  ['`packages`', '', PackagesEntry],
  ['`packages.arrears`', '', ArrearsEntry],
  [
    '`packages.offers`',
    'What is sold: `weir package buy`, and the vendors’ own calls.',
    OfferEntry,
  ],
]

/** Writes the page that documents every key of a rule pack. */
export function packReference(): string {
  const pages = PAGES.map(([heading, text, schema]) => {
    const intro = text === '' ? [] : ['', text]
    const head = ['| key | value | default | meaning | settles |', '|---|---|---|---|---|']
    return [`## ${heading}`, ...intro, '', ...head, ...rows(schema), ''].join('\n')
  })
  return [HEAD, ...pages].join('\n')
}

function rows(schema: z.ZodType): string[] {
  const { properties = {}, required = [] } = z.toJSONSchema(schema, {
    io: 'input',
    unrepresentable: 'any',
  }) as JsonSchema
  return Object.entries(properties).map(([key, field]) => {
    const cells = [
      `\`${key}\``,
      field.value ?? words(field),
      required.includes(key) ? 'required' : fallback(field),
      field.description ?? '',
      field.settles ?? '',
    ]
    return `| ${cells.join(' | ').trimEnd()} |`.replaceAll('|  |', '| |')
  })
}

function words({ const: only, enum: choices, items }: JsonSchema): string {
  if (only !== undefined) return `\`${only}\``
  if (choices !== undefined) return choices.map((word) => `\`${word}\``).join(', ')
  return items === undefined ? '' : `list of ${words(items)}`
}

function fallback(field: JsonSchema): string {
  if (field.fallback !== undefined) return field.fallback
  const text = JSON.stringify(field.default ?? 'none').replaceAll('"', '')
  return text === '{}' ? 'each key’s own' : `\`${text}\``
}
