import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { cp } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Step } from '../../src/ingest/steps.ts'
import { readTokens, type CrashTokens } from './crash-world.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Compiles the crash server; its path. */
export async function buildCrashServer(): Promise<string> {
  const tsc = `${ROOT}/node_modules/typescript/bin/tsc`
  const project = `${ROOT}/test/support/tsconfig.children.json`
  await promisify(execFile)(process.execPath, [tsc, '-p', project]).catch(
    (error: { stdout?: string }) => {
      throw new Error(`The crash server does not compile:\n${error.stdout}`, { cause: error })
    },
  )
  // The server reads its rule packs beside its sources.
  await cp(`${ROOT}/rules`, `${ROOT}/.build/children/rules`, { recursive: true })
  return `${ROOT}/.build/children/test/support/crash-server.js`
}

/** A running crash server. */
export interface CrashChild {
  readonly url: string
  readonly tokens: CrashTokens
  readonly process: ChildProcess
  /** Resolves when it has ended, to the signal that ended it. */
  readonly ended: Promise<NodeJS.Signals | null>
}

/** Where the child ends itself: at the n-th time that it reaches a step. */
export interface KillPoint {
  readonly step: Step
  readonly count: number
}

/** Starts the crash server; undefined when it reached its kill point before it served. */
export async function startCrashChild(
  script: string,
  directory: string,
  kill: KillPoint | null,
): Promise<CrashChild | undefined> {
  const point = kill === null ? [] : [kill.step, String(kill.count)]
  const child = spawn(process.execPath, [script, directory, ...point], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const ended = new Promise<NodeJS.Signals | null>((resolve) => {
    child.once('exit', (_code, signal) => resolve(signal))
  })
  const port = await new Promise<number | null>((resolve) => {
    child.stdout.once('data', (text: Buffer) => resolve(Number(text.toString())))
    child.once('exit', () => resolve(null))
  })
  if (port !== null) {
    const tokens = readTokens(directory)
    return { url: `http://127.0.0.1:${port}`, tokens, process: child, ended }
  }
  const signal = await ended
  if (signal === 'SIGKILL') return undefined
  throw new Error(`The crash server ended while it started (signal ${signal}).`)
}
