import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { residentFigure, type Bench, type BenchResult, type Figure } from '../support/figure.ts'
import { PARTS } from './parts.ts'
import { PART } from './scripts.ts'

export const billing: Bench = {
  name: 'billing',
  summary: 'what closing months and days takes',
  run: measure,
}

async function measure(directory: string): Promise<BenchResult> {
  const figures: Figure[] = []
  for (const { name } of PARTS) {
    const own = join(directory, name)
    await mkdir(own)
    const { output, residentBytes } = await PART.run({ part: name, directory: own })
    figures.push(...output, residentFigure(`Weir (${name})`, residentBytes))
    await rm(own, { recursive: true, force: true })
  }
  return { figures, skipped: [] }
}
