import { join } from 'node:path'
import { median, residentFigure, type Bench, type BenchResult } from '../support/figure.ts'
import { generateUsage } from '../usage-http/generate.ts'
import { BARE, LOAD, WEIR, type LoadOutput } from './scripts.ts'

const RECORDS = 100_000
const ROUNDS = 3
const SECONDS = 5
const CONNECTIONS = 32

/** Of the bare route's requests per second. */
const BARE_RATIO_MIN = 0.3

export const signedApi: Bench = {
  name: 'signed-api',
  summary: 'call 1, signed, against a fastify route that answers a constant',
  run: measure,
}

async function measure(directory: string, say: (text: string) => void): Promise<BenchResult> {
  const usage = await generateUsage(RECORDS)
  const weir = WEIR.start({ directory: join(directory, 'weir'), usage })
  const { port, requests, answer } = await weir.ready
  const bare = BARE.start({ answer })
  const { port: barePort } = await bare.ready
  // What both answer; Weir's figures change with nothing, so the mark is the start of the answer.
  const mark = answer.slice(0, answer.indexOf('TrafficSet'))
  const shoot = async (to: number, seconds: number): Promise<LoadOutput> =>
    (await LOAD.run({ port: to, requests, mark, connections: CONNECTIONS, seconds })).output
  await shoot(port, 2)
  await shoot(barePort, 2)
  const weirRounds: LoadOutput[] = []
  const bareRounds: LoadOutput[] = []
  for (let round = 1; round <= ROUNDS; round += 1) {
    weirRounds.push(await shoot(port, SECONDS))
    bareRounds.push(await shoot(barePort, SECONDS))
    const rates = [weirRounds, bareRounds].map((rounds) => rounds.at(-1)?.requestsPerSecond ?? 0)
    say(`round ${round}: ${rates.map(Math.round).join(' and ')} requests/s`)
  }
  const { residentBytes } = await weir.stop()
  await bare.stop()
  const rate = median(weirRounds.map((round) => round.requestsPerSecond))
  const bareRate = median(bareRounds.map((round) => round.requestsPerSecond))
  return {
    figures: [
      { name: 'Weir, call 1', value: rate, unit: 'requests/s' },
      { name: 'Weir, p99', value: median(weirRounds.map((r) => r.latencyMsP99)), unit: 'ms' },
      { name: 'bare route', value: bareRate, unit: 'requests/s' },
      { name: 'bare route, p99', value: median(bareRounds.map((r) => r.latencyMsP99)), unit: 'ms' },
      {
        name: 'Weir / bare route',
        value: rate / bareRate,
        unit: '×',
        goal: { atLeast: BARE_RATIO_MIN },
      },
      residentFigure('Weir', residentBytes),
    ],
    skipped: [],
  }
}
