import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { availableParallelism, cpus, totalmem } from 'node:os'
import { fileURLToPath } from 'node:url'

/** One line that says when, on what and at which commit a benchmark ran. */
export function describeRun(now: Date): string {
  const gib = Math.round(totalmem() / 2 ** 30)
  const model = (cpus()[0]?.model ?? 'unknown processor').trim()
  return [
    now.toISOString().slice(0, 10),
    `${availableParallelism()} cores of ${model}, ${gib} GiB`,
    `Node ${process.versions.node}`,
    `chdb ${packageVersion('chdb')}`,
    `commit ${commit()}`,
  ].join(' · ')
}

function packageVersion(name: string): string {
  const main = createRequire(import.meta.url).resolve(name)
  const folder = main.slice(0, main.lastIndexOf(`/node_modules/${name}/`))
  const text = readFileSync(`${folder}/node_modules/${name}/package.json`, 'utf8')
  return (JSON.parse(text) as { version: string }).version
}

function commit(): string {
  const cwd = fileURLToPath(new URL('.', import.meta.url))
  const git = (...args: string[]): string => execFileSync('git', args, { cwd, encoding: 'utf8' })
  try {
    const isDirty = git('status', '--porcelain', '--', '../../src').trim() !== ''
    return git('rev-parse', '--short', 'HEAD').trim() + (isDirty ? ' with changes' : '')
  } catch (error) {
    return `unknown (${error instanceof Error ? error.message.split('\n')[0] : String(error)})`
  }
}
