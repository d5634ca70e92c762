import { Command, InvalidArgumentError } from 'commander'
import { openCore, type Component, type Core, type Telemetry } from '../compose.ts'
import { composeServer } from '../compose-server.ts'
import { composeTailers } from '../compose-tailers.ts'
import { saveAdminToken } from '../config/admin-token-file.ts'
import type { Config } from '../config/config.ts'
import { lockData } from '../config/data-lock.ts'
import { loadConfig } from '../config/load.ts'
import { bootstrapExample, type NewExample } from '../example/bootstrap.ts'
import { createLog, type Logger } from '../telemetry/log.ts'
import { createMetrics } from '../telemetry/metrics.ts'
import type { CliContext } from './context.ts'
import { nextStepsOf } from './next-steps.ts'
import { VERSION } from './version.ts'

interface ServeOptions {
  readonly config?: string
  readonly data?: string
  readonly host?: string
  readonly port?: number
  readonly empty?: true
}

/** `weir serve`: runs the metering server until it is told to stop. */
export function serveCommand(context: CliContext): Command {
  return new Command('serve')
    .description('Run the metering server.')
    .option('--config <file>', 'configuration file (default: WEIR_CONFIG, or ./weir.yaml)')
    .option('--data <directory>', 'data directory (default: ./data)')
    .option('--host <address>', 'address to listen on (default: 127.0.0.1)')
    .option('--port <number>', 'port to listen on (default: 8080)', parsePort)
    .option('--empty', 'start with nothing instead of the example')
    .addHelpText(
      'after',
      `
The first start on an empty data directory makes an example: an account, a key
pair, domains, elastic IPs, a gateway, packages, and their usage of the last
three days. It prints calls to try. --empty leaves all of that out.

Stops on SIGTERM or Ctrl-C: requests under way are finished, what is accepted
and not yet loaded is kept and loaded at the next start.

Examples:
  $ weir serve
  $ weir serve --empty --port 9000 --data /var/lib/weir
  $ weir serve --config /etc/weir/weir.yaml`,
    )
    .action(async (options: ServeOptions) => {
      const config = loadConfig({
        path: options.config,
        environment: context.environment,
        flags: {
          server: {
            ...(options.host !== undefined && { host: options.host }),
            ...(options.port !== undefined && { port: options.port }),
          },
          data: { ...(options.data !== undefined && { directory: options.data }) },
        },
      })
      await serve(context, config, options.empty === true)
    })
}

function parsePort(text: string): number {
  const port = Number(text)
  if (/^\d{1,5}$/.test(text) && port <= 65_535) return port
  throw new InvalidArgumentError('A port is a number from 0 to 65535.')
}

async function serve(context: CliContext, config: Config, isEmpty: boolean): Promise<void> {
  const log = createLog({ level: config.telemetry.logLevel })
  const metrics = createMetrics({ version: VERSION })
  const unlock = lockData(config.data.directory, 'serve')
  try {
    const core = await openCore(config, { log, metrics })
    try {
      await run(context, config, core, { log, metrics }, isEmpty)
    } finally {
      await core.close()
    }
  } finally {
    unlock()
  }
}

async function run(
  context: CliContext,
  config: Config,
  core: Core,
  { log, metrics }: Telemetry,
  isEmpty: boolean,
): Promise<void> {
  const server = composeServer(config, core, { log, metrics })
  const stopped = waitForStop(log)
  await core.catalog.ensureAdminToken((token) => saveAdminToken(config.data.directory, token))
  // What takes usage in starts last, so that nothing is accepted which cannot be kept.
  const running: Component[] = []
  const takesIn = config.roles.includes('ingest')
  const upkeep = config.roles.includes('worker') ? core.upkeep : []
  const tailers = takesIn ? composeTailers(config, core, { log }) : []
  try {
    // In every role, because an earlier run may have left accepted usage in the journal.
    await startAll([core.loader], running)
    const example = isEmpty || !takesIn ? undefined : await makeExample(context, core)
    const { keeper, watch } = core.coverage
    await startAll([keeper, watch, ...upkeep, server, ...tailers], running)
    context.write(await nextStepsOf(core, config, server.url(), example))
    log.info({ url: server.url() }, 'weir is ready')
    await stopped
  } finally {
    for (const component of running.toReversed()) await component.stop()
  }
}

async function startAll(components: readonly Component[], running: Component[]): Promise<void> {
  for (const component of components) {
    await component.start()
    running.push(component)
  }
}

async function makeExample(context: CliContext, core: Core): Promise<NewExample | undefined> {
  const { catalog, ingest, clock } = core
  if ((await catalog.rows.accounts.find({})) === undefined) {
    context.write('Making the example: a catalog, and usage of the last three days …\n')
  }
  const example = await bootstrapExample({ catalog, ingest }, clock)
  if (example !== undefined) {
    context.write(`Took in ${example.lines.toLocaleString('en-US')} log lines and records.\n\n`)
  }
  return example
}

/** Resolves at the first signal; a second one ends the process at once. */
function waitForStop(log: Logger): Promise<void> {
  return new Promise((resolve) => {
    let isStopping = false
    const onSignal = (signal: NodeJS.Signals): void => {
      if (isStopping) process.exit(1)
      isStopping = true
      log.info({ signal }, 'stopping; once more to stop at once')
      resolve()
    }
    process.on('SIGTERM', onSignal)
    process.on('SIGINT', onSignal)
  })
}
