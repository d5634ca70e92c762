import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { cp, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
/** Inside the checkout, where its packages are found; apart from dist/, which others use. */
const OUT = join(ROOT, '.build', 'e2e')
const READY_MS_MAX = 60_000
const POLL_MS = 20

/** What became of a command. */
export interface Ended {
  readonly code: number | null
  readonly signal: string | null
  readonly out: string
  readonly err: string
}

/** A command under way. */
export interface Running {
  readonly process: ChildProcess
  /** It leads a process group. */
  readonly isGroup: boolean
  readonly ended: Promise<Ended>
  /** Standard output so far. */
  printed(): string
  /** Standard error so far. */
  complained(): string
}

/** One JSON object, as commands and APIs answer it. */
export type Json = Readonly<Record<string, unknown>>

/** One row of a native query. */
export type UsageRow = Readonly<Record<string, string | number>>

/** A server of the built program. */
export interface WeirServer extends Running {
  /** Without a slash at the end. */
  readonly url: string
  readonly data: string
  readonly token: string
  /** Runs a command against this server. */
  weir(...args: readonly string[]): Promise<Ended>
  /** The same for a command that must succeed and prints JSON. */
  json<Answer = Json>(...args: readonly string[]): Promise<Answer>
  /** Asks the native query; the rows. */
  query(question: object): Promise<readonly UsageRow[]>
  /** What the audit of conservation finds wrong. */
  audit(): Promise<readonly Json[]>
  /** Stops it as an operator does. */
  stop(): Promise<Ended>
  /** Ends it as a power cut does. */
  kill(): Promise<void>
}

const living = new Set<Running>()

/** Compiles the program as it is shipped. */
export async function buildWeir(): Promise<void> {
  const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc')
  const dist = join(OUT, 'dist')
  const args = ['--outDir', dist, '--incremental', '--tsBuildInfoFile', join(dist, '.tsbuildinfo')]
  await promisify(execFile)(process.execPath, [
    tsc,
    '-p',
    join(ROOT, 'tsconfig.json'),
    ...args,
  ]).catch((error: { stdout?: string }) => {
    throw new Error(`Weir does not compile:\n${error.stdout}`, { cause: error })
  })
  await cp(join(ROOT, 'bin'), join(OUT, 'bin'), { recursive: true })
  await cp(join(ROOT, 'rules'), join(OUT, 'rules'), { recursive: true })
  await cp(join(ROOT, 'package.json'), join(OUT, 'package.json'))
}

/** Ends whatever a failed test left running. */
export async function endChildren(): Promise<void> {
  const all = [...living]
  for (const { process: child, isGroup } of all) {
    if (isGroup && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL')
    else child.kill('SIGKILL')
  }
  await Promise.all(all.map(({ ended }) => ended))
}

/** Where and how a program runs. */
export interface ProgramOptions {
  readonly cwd?: string
  readonly environment?: Readonly<Record<string, string>>
  /** In a process group of its own, as a terminal would have it. */
  readonly isGroup?: boolean
}

/** Starts a program; its environment names no Weir, no proxy and no colours. */
export function startProgram(
  file: string,
  args: readonly string[],
  options: ProgramOptions = {},
): Running {
  const child = spawn(file, args, {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...cleanEnvironment(), ...options.environment },
    ...(options.cwd !== undefined && { cwd: options.cwd }),
    detached: options.isGroup === true,
  })
  const texts = { out: '', err: '' }
  child.stdout.setEncoding('utf8').on('data', (text: string) => (texts.out += text))
  child.stderr.setEncoding('utf8').on('data', (text: string) => (texts.err += text))
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code, signal) => resolve({ code, signal, ...texts }))
  })
  const running = {
    process: child,
    isGroup: options.isGroup === true,
    ended,
    printed: () => texts.out,
    complained: () => texts.err,
  }
  living.add(running)
  child.once('close', () => living.delete(running))
  return running
}

/** Runs a program to its end. Errors: what it said, when it did not succeed. */
export async function runProgram(
  file: string,
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<Ended> {
  const ended = await startProgram(file, args, options).ended
  if (ended.code === 0) return ended
  throw new Error(`${file} ${args.join(' ')} ended with ${ended.code}:\n${ended.out}${ended.err}`)
}

function cleanEnvironment(): NodeJS.ProcessEnv {
  const unwanted = /^(?:WEIR_|VITEST|NODE_OPTIONS$|NODE_ENV$|npm_|https?_proxy$|all_proxy$)/i
  const kept = Object.entries(process.env).filter(([name]) => !unwanted.test(name))
  return Object.fromEntries(kept)
}

/** Starts a command of the built program. */
export function startWeir(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Running {
  return startProgram(process.execPath, [join(OUT, 'bin', 'weir.cjs'), ...args], { environment })
}

/** Runs a command of the built program to its end. */
export async function runWeir(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  return await startWeir(args, environment).ended
}

/** Starts a server on a free port and waits until it is ready. */
export async function serveWeir(data: string, ...args: readonly string[]): Promise<WeirServer> {
  const running = startWeir(['serve', '--port', '0', '--data', data, ...args])
  return await readyServer(running, data)
}

/** Waits until a started server is ready. Errors: what it said when it ended before. */
export async function readyServer(
  running: Running,
  data: string,
  msMax = READY_MS_MAX,
): Promise<WeirServer> {
  const url = await readyUrl(running, msMax)
  const token = (await readFile(join(data, 'admin-token'), 'utf8')).trim()
  const environment = { WEIR_URL: url, WEIR_ADMIN_TOKEN: token }
  const post = async (path: string, body: object): Promise<Json> => {
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    const response = await fetch(`${url}${path}`, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${text}`)
    return JSON.parse(text) as Json
  }
  return {
    ...running,
    url,
    data,
    token,
    weir: (...args) => runWeir(args, environment),
    async json<Answer>(...args: readonly string[]) {
      const { code, out, err } = await runWeir(args, environment)
      if (code !== 0) throw new Error(`weir ${args.join(' ')} ended with ${code}:\n${err}`)
      return JSON.parse(out) as Answer
    },
    query: async (question) => (await post('/v1/query', question))['rows'] as UsageRow[],
    audit: async () => (await post('/admin/v1/audit', {}))['findings'] as Json[],
    async stop() {
      running.process.kill('SIGTERM')
      return await running.ended
    },
    async kill() {
      running.process.kill('SIGKILL')
      await running.ended
    },
  }
}

async function readyUrl(running: Running, msMax: number): Promise<string> {
  const endMs = performance.now() + msMax
  while (living.has(running) && performance.now() < endMs) {
    const url = /^Weir is ready at (\S+?)\/?$/m.exec(running.printed())?.[1]
    if (url !== undefined && running.complained().includes('"weir is ready"')) return url
    await sleep(POLL_MS)
  }
  throw new Error(`The server is not ready:\n${running.printed()}\n${running.complained()}`)
}

/** Asks again until the answer is as wanted; the last answer, wanted or not. */
export async function until<Answer>(
  ask: () => Promise<Answer>,
  isWanted: (answer: Answer) => boolean,
  msMax: number,
): Promise<Answer> {
  const endMs = performance.now() + msMax
  for (;;) {
    const answer = await ask()
    if (isWanted(answer) || performance.now() > endMs) return answer
    await sleep(POLL_MS)
  }
}
