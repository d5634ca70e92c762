import { mkdir, open, rm, statfs } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { Command } from 'commander'
import { PROBES, type Probes } from '../compose-probe.ts'
import type { Config } from '../config/config.ts'
import { holderOf } from '../config/data-lock.ts'
import { DEFAULT_CONFIG_PATH, findConfigFile, loadConfig, redactUrl } from '../config/load.ts'
import { AppError } from '../core/errors.ts'
import { isZone, toLocal } from '../core/period.ts'
import { checkFormats, countSources } from './config.ts'
import type { CliContext } from './context.ts'

/** One question about this machine. */
interface Check {
  readonly name: string
  /** Answers what was found. Errors: an AppError whose message is the way out. */
  run(): Promise<string>
}

/** What was found out about the machine; a test passes its own. */
export interface Machine {
  readonly nodeVersion: string
  readonly probes: Probes
}

const THIS_MACHINE: Machine = { nodeVersion: process.versions.node, probes: PROBES }

const NODE_MIN = { major: 20, minor: 19 }

/** Below it a busy day of logs does not fit beside its own merge. */
const FREE_BYTES_MIN = 2 ** 30

/** This release was not made before then, so a clock that says so is wrong. */
const RELEASED_MS = Date.UTC(2026, 10, 1)

/** `weir doctor`: says what keeps a server from running here, and what to do about it. */
export function doctorCommand(context: CliContext, machine: Machine = THIS_MACHINE): Command {
  return new Command('doctor')
    .description('Check this machine: what works, what is missing, and the way out.')
    .option('--config <file>', 'configuration file (default: WEIR_CONFIG, or ./weir.yaml)')
    .option('--data <directory>', 'data directory (default: ./data)')
    .addHelpText(
      'after',
      `
Changes nothing. Exit code 1 when something is missing.

Examples:
  $ weir doctor
  $ weir doctor --config /etc/weir/weir.yaml`,
    )
    .action(async (options: { config?: string; data?: string }) => {
      const { found, config } = readConfig(context, options)
      const checks = [nodeCheck(machine), found, ...machineChecks(config, context, machine)]
      let failed = 0
      for (const check of checks) {
        const line = await answerOf(check)
        if (!line.startsWith('✓')) failed += 1
        context.write(`${line}\n`)
      }
      context.write(failed === 0 ? '\nAll is well.\n' : `\n${failed} to put right.\n`)
      if (failed > 0) context.exitWith(1)
    })
}

async function answerOf(check: Check): Promise<string> {
  try {
    return `✓ ${check.name}: ${await check.run()}`
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    return `✗ ${check.name}: ${reason.replaceAll('\n', '\n    ')}`
  }
}

/** A configuration that cannot be read must not hide what else is wrong: the defaults go on. */
function readConfig(
  { environment }: CliContext,
  options: { config?: string; data?: string },
): { found: Check; config: Config } {
  const flags = { data: { ...(options.data !== undefined && { directory: options.data }) } }
  const name = 'configuration'
  try {
    const config = loadConfig({ path: options.config, environment, flags })
    const run = async (): Promise<string> => {
      checkFormats(config)
      const file = findConfigFile({ path: options.config, environment })
      const what = file ?? `no ${DEFAULT_CONFIG_PATH} here, so the defaults`
      return `${what}, valid, ${countSources(config)}`
    }
    return { config, found: { name, run } }
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    const config = loadConfig({ path: '/dev/null', environment: {}, flags })
    return { config, found: { name, run: () => Promise.reject(error) } }
  }
}

function nodeCheck({ nodeVersion }: Machine): Check {
  return {
    name: 'Node.js',
    async run() {
      const [major = 0, minor = 0] = nodeVersion.split('.').map(Number)
      const isNew = major > NODE_MIN.major || (major === NODE_MIN.major && minor >= NODE_MIN.minor)
      if (isNew) return nodeVersion
      throw wayOut(`${nodeVersion} is too old; install 20.19 or newer from https://nodejs.org/.`)
    },
  }
}

function machineChecks(config: Config, context: CliContext, { probes }: Machine): Check[] {
  const { location } = config.usageStore
  return [
    { name: 'time zones', run: checkZones },
    { name: 'clock', run: async () => checkClock(context.clock.nowMs()) },
    { name: 'addresses', run: async () => probes.addresses() },
    { name: 'data directory', run: () => checkDirectory(config.data.directory) },
    { name: 'journal directory', run: () => checkDirectory(config.ingest.journal.directory) },
    {
      name: 'usage store',
      run: () => reached(() => probes.usageStore(config), 'usageStore.location', location),
    },
    {
      name: 'control store',
      run: () =>
        reached(
          () => probes.controlStore(config),
          'controlStore.location',
          config.controlStore.location,
        ),
    },
    { name: 'port', run: () => checkPort(config) },
  ]
}

async function checkZones(): Promise<string> {
  const summer = Date.UTC(2026, 6, 1)
  const isRight =
    isZone('Asia/Shanghai') &&
    toLocal(summer, 'Asia/Shanghai').hour === 8 &&
    toLocal(summer, 'America/New_York').hour === 20
  if (isRight) return `known, release ${process.versions['tz'] ?? 'unknown'}`
  throw wayOut('this Node.js was built without them; install an official build from nodejs.org.')
}

function checkClock(nowMs: number): string {
  const text = new Date(nowMs).toISOString()
  if (nowMs >= RELEASED_MS) return text
  throw wayOut(`${text} is before this release was made; set the clock, best by NTP.`)
}

/** What to do about a directory, by the code of the failure. */
const UNWRITABLE: Readonly<Record<string, string>> = {
  EEXIST: 'something else has that name: move it away',
  ENOTDIR: 'something on the way is no directory: move it away',
  ENOENT: 'a link on the way leads nowhere: repair it',
  EROFS: 'the file system is read-only: mount it for writing',
  ENOSPC: 'the disk is full: make room',
}

/** Writes and syncs a small file where the directory is, or where it would be made. */
async function checkDirectory(directory: string): Promise<string> {
  const path = join(directory, `.doctor-${process.pid}`)
  let freeBytes: number
  try {
    const made = await mkdir(directory, { recursive: true })
    const file = await open(path, 'w')
    await file.writeFile('x')
    await file.sync()
    await file.close()
    await rm(path)
    const { bavail, bsize } = await statfs(directory)
    freeBytes = bavail * bsize
    if (made !== undefined) await rm(made, { recursive: true })
  } catch (error) {
    const code = codeOf(error)
    const what = UNWRITABLE[code] ?? 'give this user the right to'
    throw wayOut(
      `${directory} cannot be written (${code}); ${what}, or name another directory.`,
      error,
    )
  }
  const free = `${(freeBytes / 2 ** 30).toFixed(1)} GiB free`
  if (freeBytes >= FREE_BYTES_MIN) return `${directory} can be written, ${free}`
  throw wayOut(`${directory} has only ${free}; make room, or name a directory on another disk.`)
}

async function reached(
  probe: () => Promise<string>,
  key: string,
  location: string,
): Promise<string> {
  const place = redactUrl(location)
  try {
    return `${place}, ${await probe()}`
  } catch (error) {
    const reason = error instanceof AppError ? error.message : `(${codeOf(error)})`
    throw wayOut(`${place} cannot be used: ${reason} Check that it runs, and ${key}.`, error)
  }
}

async function checkPort({ server: { host, port }, data }: Config): Promise<string> {
  const holder = holderOf(data.directory)
  if (holder !== undefined) return `weir ${holder.task} is running as process ${holder.pid}`
  const probe = createServer()
  try {
    await new Promise<void>((resolve, reject) => {
      probe.once('error', reject)
      probe.listen({ host, port }, resolve)
    })
  } catch (error) {
    throw wayOut(
      `${host}:${port} cannot be had (${codeOf(error)}); stop what uses it, or set server.port.`,
      error,
    )
  }
  await new Promise((resolve) => {
    probe.close(resolve)
  })
  return `${host}:${port} is free`
}

function wayOut(message: string, cause?: unknown): AppError {
  return new AppError('config_invalid', message, { cause })
}

function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : String(error)
}
