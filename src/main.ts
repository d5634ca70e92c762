import { coverageCommand } from './cli/coverage.ts'
import { isatty } from 'node:tty'
import { Command, CommanderError } from 'commander'
import { accountCommand } from './cli/account.ts'
import { adminTokenCommand } from './cli/admin-token.ts'
import { alertCommand } from './cli/alert.ts'
import { applyCommand } from './cli/apply.ts'
import { auditCommand } from './cli/audit.ts'
import { billCommand } from './cli/bill.ts'
import { balanceCommand } from './cli/balance.ts'
import { brandCommand } from './cli/brand.ts'
import { callCommand, callIo } from './cli/call.ts'
import { checkConfigCommand, dumpConfigCommand } from './cli/config.ts'
import type { CliContext } from './cli/context.ts'
import { doctorCommand } from './cli/doctor.ts'
import { exampleCommand } from './cli/example.ts'
import { forecastCommand } from './cli/forecast.ts'
import { ingestCommand } from './cli/ingest.ts'
import { keyCommand } from './cli/key.ts'
import { modeCommand } from './cli/mode.ts'
import { openSink } from './cli/open-sink.ts'
import { packageCommand } from './cli/package.ts'
import { projectCommand } from './cli/project.ts'
import { queryCommand } from './cli/query.ts'
import { regionCommand } from './cli/region.ts'
import { rejectedCommand } from './cli/rejected.ts'
import { callAdmin } from './cli/remote-sink.ts'
import { resourceCommand } from './cli/resource.ts'
import { rulesCommand } from './cli/rules.ts'
import { whatIfCommand } from './cli/whatif.ts'
import { serveCommand } from './cli/serve.ts'
import { addressOf } from './cli/server-address.ts'
import { sourceCommand } from './cli/source.ts'
import { usageCommand } from './cli/usage.ts'
import { VERSION } from './cli/version.ts'
import { processEnvironment } from './config/environment.ts'
import { systemClock } from './core/clock.ts'
import { AppError } from './core/errors.ts'

const context: CliContext = {
  environment: processEnvironment(),
  isTerminal: isatty(1),
  write: (text) => process.stdout.write(text),
  clock: systemClock,
  exitWith: (code) => {
    process.exitCode = code
  },
}

const complain = (text: string): void => {
  process.stderr.write(text)
}

function createProgram(): Command {
  const program = new Command('weir')
    .description('Measures network traffic and bills it.')
    .version(VERSION)
    .showSuggestionAfterError()
    .showHelpAfterError('(weir --help lists the commands)')
    .exitOverride()
    .addHelpText(
      'after',
      `
Start here:
  $ weir serve                     a server with example data, on port 8080
  $ weir doctor                    what is missing on this machine
  $ weir ingest access-log FILE    take a log in
  $ weir query cdn --account ID    see what was measured`,
    )
  const commands = [
    serveCommand(context),
    callCommand(callIo(context)),
    queryCommand(context),
    withAddress(ingestIo()),
    withAddress(rejectedIo()),
    auditCommand(context),
    billCommand(context),
    usageCommand(context),
    applyCommand(context),
    accountCommand(context),
    projectCommand(context),
    keyCommand(context),
    resourceCommand(context),
    packageCommand(context),
    alertCommand(context),
    sourceCommand(context),
    coverageCommand(context),
    rulesCommand(context),
    modeCommand(context),
    balanceCommand(context),
    forecastCommand(context),
    whatIfCommand(context),
    brandCommand(context),
    regionCommand(context),
    adminTokenCommand(context),
    exampleCommand(context),
    checkConfigCommand(context),
    dumpConfigCommand(context),
    doctorCommand(context),
  ]
  for (const command of commands) program.addCommand(command)
  return program
}

function withAddress(command: Command): Command {
  return command
    .option('--url <url>', 'server to speak to (default: WEIR_URL, or this machine)')
    .option('--token <token>', 'admin token (default: WEIR_ADMIN_TOKEN, or the data directory’s)')
    .option('--config <file>', 'configuration that names the data directory and the port')
    .option('--data <directory>', 'data directory that holds the admin token')
}

function ingestIo(): Command {
  return ingestCommand({
    clock: systemClock,
    stdin: process.stdin,
    print: context.write,
    complain,
    isTerminal: isatty(2),
    exitWith: context.exitWith,
    openSink: (options) => openSink(context, options),
  })
}

function rejectedIo(): Command {
  return rejectedCommand({
    callAdmin: (options, method, path, body) =>
      callAdmin(addressOf(context, options), method, path, body),
    print: context.write,
    complain,
    exitWith: context.exitWith,
  })
}

function inherit(command: Command, path: string): void {
  for (const child of command.commands) {
    child.exitOverride().showSuggestionAfterError().copyInheritedSettings(command)
    const name = `${path} ${child.name()}`
    const what = child.commands.length > 0 ? 'lists the commands' : 'shows how'
    child.showHelpAfterError(`(${name} --help ${what})`)
    inherit(child, name)
  }
}

function report(error: unknown): void {
  // Commander has already said what was wrong with the command line, or shown the help.
  if (error instanceof CommanderError) {
    process.exitCode = error.exitCode === 0 ? 0 : 2
    return
  }
  process.exitCode = 1
  if (error instanceof AppError) {
    complain(`weir: ${error.message}\n`)
    return
  }
  complain(`weir: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
}

const program = createProgram()
inherit(program, 'weir')
try {
  await program.parseAsync(process.argv)
} catch (error) {
  report(error)
}
