import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { accessLog } from './access-log/bench.ts'
import { usageHttp } from './usage-http/bench.ts'
import { query } from './query/bench.ts'
import { signedApi } from './signed-api/bench.ts'
import { billing } from './billing/bench.ts'
import { describeRun } from './machine.ts'
import { formatFigures, isMet, type Bench } from './support/figure.ts'

const BENCHES: readonly Bench[] = [accessLog, usageHttp, query, signedApi, billing]

process.exitCode = await main(process.argv.slice(2))

async function main(names: readonly string[]): Promise<number> {
  if (names.length === 0 || names.includes('--help') || names.includes('-h')) {
    printHelp()
    return names.length === 0 ? 2 : 0
  }
  const unknown = names.find((name) => name !== 'all' && BENCHES.every((b) => b.name !== name))
  if (unknown !== undefined) {
    process.stderr.write(`There is no benchmark ${unknown}.\n\n`)
    printHelp()
    return 2
  }
  const chosen = BENCHES.filter(({ name }) => names.includes('all') || names.includes(name))
  process.stdout.write(`${describeRun(new Date())}\n`)
  let missed = 0
  for (const bench of chosen) missed += await runOne(bench)
  if (missed > 0) process.stdout.write(`\n${missed} missed.\n`)
  return missed > 0 ? 1 : 0
}

async function runOne(bench: Bench): Promise<number> {
  process.stdout.write(`\n## ${bench.name}: ${bench.summary}\n\n`)
  const directory = await mkdtemp(join(tmpdir(), `weir-bench-${bench.name}-`))
  const say = (text: string): void => void process.stderr.write(`${bench.name}: ${text}\n`)
  try {
    const { figures, skipped } = await bench.run(directory, say)
    process.stdout.write(`${formatFigures(figures)}\n`)
    for (const reason of skipped) process.stdout.write(`\nSkipped: ${reason}\n`)
    return figures.filter((figure) => isMet(figure) === false).length
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

function printHelp(): void {
  const width = Math.max(...BENCHES.map(({ name }) => name.length))
  const lines = BENCHES.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`)
  process.stdout.write(
    `Usage: npm run bench -- <name>…\n\n${lines.join('\n')}\n  ${'all'.padEnd(width)}  every one of them\n\n` +
      'Prints each figure beside its goal; exits 1 when one is missed.\n' +
      'Generated input is kept in the temporary folder of the system, under weir-bench.\n',
  )
}
