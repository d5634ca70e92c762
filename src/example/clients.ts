import { pick, type Random, weighted } from './random.ts'

/** A network of a carrier; `start` is the first 16 bits of IPv4 or 32 bits of IPv6 addresses. */
export interface ClientNetwork {
  readonly start: string
  readonly weight: number
}

/**
 * Networks of large carriers: every province and carrier code appears, in proportion to how many
 * people live there, and one client in ten is abroad.
 *
 * Source: allocations of APNIC, RIPE and ARIN as the address database knows them, read 2026-11.
 */
export const CLIENT_NETWORKS: readonly ClientNetwork[] = parse(`
  113.64 9    183.232 7   58.248 4    119.32 1    101.232 1   116.56 1    49.64 6     112.0 4
  115.192 6   39.184 4    101.64 2    112.224 6   120.220 3   42.224 5    39.148 3    171.208 5
  117.172 2   58.48 4     106.16 4    101.16 4    111.192 4   36.208 2    59.64 1     1.88 1
  101.80 4    183.192 2   49.52 1     111.212 1   36.56 3     27.152 3    113.224 3   106.224 2
  1.80 3      106.80 2    111.58 2    106.56 2    111.120 2   118.72 2    113.0 2     119.48 1
  111.160 2   1.24 1      49.112 1    27.224 1    112.66 1    14.134 1    110.166 1   101.248 1
  113.252 2   60.246 1    36.224 2    73.158 2    126.10 2    175.192 1   219.74 1    84.140 1
  86.140 1    90.10 1     177.32 1    1.128 1     113.160 1   36.64 1     175.136 1   49.36 1
  240e:3b0 4  2409:8054 3 240e:3a0 2  2409:8028 2 2408:8214 2 2408:8208 1 240c:c040 1 240e:388 2
  240e:398 1  2409:8144 1 2600:1700 1 2400:4050 1 2a02:8071 1`)

function parse(table: string): ClientNetwork[] {
  return [...table.matchAll(/(\S+) (\d+)/g)].map(([, start = '', weight]) => ({
    start,
    weight: Number(weight),
  }))
}

/** Draws client addresses from the networks. */
export function createClients(random: Random): () => string {
  const networks = weighted(CLIENT_NETWORKS).map(({ start }) => start)
  return () => {
    const start = pick(networks, random)
    const host = Math.floor(random() * 2 ** 32)
    if (start.includes(':')) {
      return `${start}:${(host >>> 20).toString(16)}:${((host >>> 8) & 0xfff).toString(16)}::${((host & 0xff) + 1).toString(16)}`
    }
    return `${start}.${host >>> 24}.${((host >>> 16) % 254) + 1}`
  }
}
