import { Command } from 'commander'
import { stringify } from 'yaml'
import type { Config } from '../config/config.ts'
import { loadConfig, toConfigFile } from '../config/load.ts'
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
      checkFormats(loadConfig({ path: options.config, environment }))
      context.write('The configuration is fine.\n')
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
