import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { median, residentFigure, type Bench, type BenchResult } from '../support/figure.ts'
import type { Elapsed } from '../support/stopwatch.ts'
import { generateUsage, type GeneratedUsage } from './generate.ts'
import { BARE, SENDER, SERVER, type SenderOutput } from './scripts.ts'

const RECORDS = 2_000_000
const ROUNDS = 3
const CONNECTIONS = 4

/** The goal is the lower of the two. */
const RECORDS_PER_SECOND_MIN = 300_000
const BARE_RATIO_MIN = 0.35

export const usageHttp: Bench = {
  name: 'usage-http',
  summary: '2 M NDJSON records with ids over loopback, fsync before each answer',
  run: measure,
}

async function measure(directory: string, say: (text: string) => void): Promise<BenchResult> {
  say('generating the records')
  const usage = await generateUsage(RECORDS)
  await readFile(usage.path)
  const weir: SenderOutput[] = []
  const bare: Elapsed[] = []
  const cpuSeconds: number[] = []
  let residentBytes = 0
  for (let round = 1; round <= ROUNDS; round += 1) {
    const folder = join(directory, `round-${round}`)
    const sent = await runRound(folder, usage)
    residentBytes = Math.max(residentBytes, sent.residentBytes)
    weir.push(sent.output)
    cpuSeconds.push(sent.cpuSeconds)
    const { output } = await BARE.run({ directory: folder, usage })
    bare.push(output)
    await rm(folder, { recursive: true })
    const { ackedSeconds, loadedSeconds } = sent.output
    say(
      `round ${round}: acked ${ackedSeconds.toFixed(2)} s, loaded ${loadedSeconds.toFixed(2)} s, ` +
        `bare ${output.seconds.toFixed(2)} s`,
    )
  }
  const acked = RECORDS / median(weir.map((round) => round.ackedSeconds))
  const loaded = RECORDS / median(weir.map((round) => round.loadedSeconds))
  const bareRate = RECORDS / median(bare.map((round) => round.seconds))
  const goal = { atLeast: Math.min(RECORDS_PER_SECOND_MIN, BARE_RATIO_MIN * bareRate) }
  return {
    figures: [
      { name: 'Weir, acknowledged', value: acked, unit: 'records/s', goal },
      {
        name: 'Weir, loaded',
        value: loaded,
        unit: 'records/s',
        goal,
        note: `${median(cpuSeconds).toFixed(2)} s of processor`,
      },
      { name: 'bare engine, typed insert', value: bareRate, unit: 'records/s' },
      { name: 'Weir loaded / bare engine', value: loaded / bareRate, unit: '×' },
      {
        name: 'asked to wait',
        value: weir.reduce((sum, round) => sum + round.refusals, 0),
        unit: 'times',
      },
      residentFigure('Weir', residentBytes),
    ],
    skipped: [],
  }
}

async function runRound(directory: string, usage: GeneratedUsage) {
  const server = SERVER.start({ directory, usage })
  const ready = await server.ready
  const { output } = await SENDER.run({ ...ready, usage, connections: CONNECTIONS })
  const stopped = await server.stop()
  const { cpuSeconds } = stopped.output
  return { output, residentBytes: stopped.residentBytes, cpuSeconds }
}
