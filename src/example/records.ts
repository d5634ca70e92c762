import { FIVE_MINUTES_MS, SECOND_MS } from '../core/period.ts'
import type { ExamplePlan } from './access-log.ts'
import { loadAt } from './load-curve.ts'
import { createRandom, type Random } from './random.ts'
import { EXAMPLE_ADDRESSES, EXAMPLE_DEVICES } from './resources.ts'

/** Bytes in five minutes at one Mbit/s. */
const BYTES_PER_MBIT = (1_000_000 / 8) * (FIVE_MINUTES_MS / SECOND_MS)

/** Bytes of a mean packet. */
const PACKET_BYTES = 940

/** Mean of what leaves each address, Mbit/s. */
const OUT_MBIT: Readonly<Record<(typeof EXAMPLE_ADDRESSES)[number]['id'], number>> = {
  'eip-example-bj': 1.6,
  'eip-example-hk': 0.9,
  'eip-example-sh': 2.4,
}

/** Where devices enter the network, and their means there: a gateway serves a site, others film. */
const DEVICE_FLOWS: Readonly<
  Record<
    (typeof EXAMPLE_DEVICES)[number]['id'],
    { regions: readonly string[]; link: string; upMbit: number; downMbit: number }
  >
> = {
  'mna-example-gateway': { regions: ['MC', 'AP'], link: 'fibre', upMbit: 0.5, downMbit: 1.4 },
  'mna-example-truck': { regions: ['MC'], link: '5g', upMbit: 1.1, downMbit: 0.2 },
  'mna-example-vessel': {
    regions: ['AP', 'EU', 'AM'],
    link: 'satellite',
    upMbit: 0.7,
    downMbit: 0.3,
  },
}

/**
 * Generates elastic IP usage: what went out and in, every five minutes.
 *
 * Shape: one piece of JSON lines per slot, ascending by time; ids are the same for the same seed.
 */
export function* eipRecordPieces(plan: ExamplePlan): Generator<string, void, undefined> {
  const random = createRandom(plan.seed, 'eip')
  for (const { slot, load } of slots(plan)) {
    let piece = ''
    for (const { id, name } of EXAMPLE_ADDRESSES) {
      const outBytes = spread(OUT_MBIT[id] * load, random)
      const moved = { out: outBytes, in: Math.floor(outBytes / 6) }
      for (const direction of ['out', 'in'] as const) {
        const bytes = moved[direction]
        const packets = Math.ceil(bytes / PACKET_BYTES)
        const what = { resource: name, direction, bytes, packets }
        piece += line({ id: recordId(plan, id, slot, direction), time: slot, ...what })
      }
    }
    yield piece
  }
}

/**
 * Generates gateway usage: what each device sent and received by access region, every five minutes.
 *
 * Shape: as `eipRecordPieces`.
 */
export function* mnaRecordPieces(plan: ExamplePlan): Generator<string, void, undefined> {
  const random = createRandom(plan.seed, 'mna')
  for (const { slot, load } of slots(plan)) {
    let piece = ''
    for (const { id, name } of EXAMPLE_DEVICES) {
      const { regions, link, upMbit, downMbit } = DEVICE_FLOWS[id]
      for (const accessRegion of regions) {
        for (const direction of ['up', 'down'] as const) {
          const bytes = spread((direction === 'up' ? upMbit : downMbit) * load, random)
          const what = { resource: name, direction, accessRegion, link, bytes }
          const recordName = recordId(plan, id, slot, `${accessRegion}-${direction}`)
          piece += line({ id: recordName, time: slot, ...what })
        }
      }
    }
    yield piece
  }
}

/** Five-minute slots by their first second; load 1 is the mean of a day. */
function* slots(plan: ExamplePlan): Generator<{ slot: number; load: number }> {
  for (let atMs = plan.startMs; atMs < plan.endMs; atMs += FIVE_MINUTES_MS) {
    yield { slot: atMs / SECOND_MS, load: loadAt(atMs) / 100 }
  }
}

/** Differs with everything that tells records apart, so that a file sent twice counts once. */
function recordId(plan: ExamplePlan, resource: string, slot: number, what: string): string {
  return `${resource}-${slot}-${what}-${plan.seed}`
}

/** Draws the bytes of a slot around its mean. */
function spread(meanMbit: number, random: Random): number {
  return Math.floor(meanMbit * BYTES_PER_MBIT * (0.7 + 0.6 * random()))
}

function line(record: object): string {
  return `${JSON.stringify(record)}\n`
}
