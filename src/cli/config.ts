import { Command } from 'commander'
import { stringify } from 'yaml'
import type { Config } from '../config/config.ts'
import { DEFAULT_CONFIG_PATH, findConfigFile, loadConfig, toConfigFile } from '../config/load.ts'
import { AppError } from '../core/errors.ts'
import { compileFormat } from '../sources/access-log/format.ts'
import type { CliContext } from './context.ts'

interface ConfigOptions {
  readonly config?: string
}

/** `weir check-config`: says whether a server would start with the configuration. */
export function checkConfigCommand(context: CliContext): Command {
  return new Command('check-config')
    .description('Check the configuration and report every mistake at once.')
    .option('--config <file>', 'configuration file (default: WEIR_CONFIG, or ./weir.yaml)')
    .addHelpText(
      'after',
      `
Checks the file and the WEIR_… variables as \`weir serve\` would read them, log
formats included. Starts and opens nothing. Exit code 1 when something is wrong.

Examples:
  $ weir check-config
  $ weir check-config --config /etc/weir/weir.yaml`,
    )
    .action((options: ConfigOptions) => {
      const { environment } = context
      const config = loadConfig({ path: options.config, environment })
      checkFormats(config)
      const file = findConfigFile({ path: options.config, environment })
      const what = file ?? `There is no ${DEFAULT_CONFIG_PATH} here: the default configuration`
      context.write(`${what} is fine, with ${countSources(config)}.\n`)
    })
}

/** `weir dump-config`: prints what is in force, as a file that would say the same. */
export function dumpConfigCommand(context: CliContext): Command {
  return new Command('dump-config')
    .description('Print the configuration in force: defaults, file and environment together.')
    .option('--config <file>', 'configuration file (default: WEIR_CONFIG, or ./weir.yaml)')
    .addHelpText(
      'after',
      `
The output is a complete configuration file. Passwords in URLs are left out.

Examples:
  $ weir dump-config
  $ WEIR_SERVER__PORT=9000 weir dump-config > weir.yaml`,
    )
    .action((options: ConfigOptions) => {
      const { environment } = context
      const config = loadConfig({ path: options.config, environment })
      context.write(stringify(toConfigFile(config), { lineWidth: 0 }))
    })
}

/** Says how many log sources are configured. */
export function countSources({ sources }: Config): string {
  return sources.length === 1 ? '1 log source' : `${sources.length} log sources`
}

/**
 * Compiles the log format of every source.
 *
 * Errors: `config_invalid` that lists each format which cannot be read, and why.
 */
export function checkFormats(config: Config): void {
  const problems = config.sources.flatMap((source, index) => {
    const { format, domain = null, clientFrom, timeZone = null } = source
    try {
      compileFormat({ format, domain, clientFrom, timeZone })
      return []
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      return [`✖ ${error.message}\n  → at sources[${index}] (${source.name})`]
    }
  })
  if (problems.length === 0) return
  throw new AppError('config_invalid', `The configuration is not usable:\n${problems.join('\n')}`)
}
