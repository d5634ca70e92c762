import { Command } from 'commander'
import { stringify } from 'yaml'
import { readRuleFile, type RuleFile } from '../config/rule-files.ts'
import { AppError } from '../core/errors.ts'
import { toPackFile } from '../rating/pack-file.ts'
import { hashPack } from '../rating/hash-pack.ts'
import { checkRulePack, formatProblem, parseRulePack, type RulePack } from '../rating/rule-pack.ts'
import type { CliContext } from './context.ts'
import { readKnownPack } from './known-pack.ts'
import { rulesAddCommand } from './rules-add.ts'
import { rulesListCommand } from './rules-list.ts'
import { describePack } from './rules-summary.ts'
import { rulesTryCommand } from './rules-try.ts'
import { addAddressOptions, type AddressOptions } from './server-address.ts'

/** `weir rules …` */
export function rulesCommand(context: CliContext): Command {
  return new Command('rules')
    .description('Rule packs: how usage becomes money.')
    .addCommand(rulesListCommand(context))
    .addCommand(showCommand(context))
    .addCommand(checkCommand(context))
    .addCommand(rulesAddCommand(context))
    .addCommand(rulesTryCommand(context))
}

interface ShowOptions extends AddressOptions {
  readonly source?: true
  readonly json?: true
}

function showCommand(context: CliContext): Command {
  return addAddressOptions(
    new Command('show')
      .description('Print a rule pack with every default written out.')
      .argument('<pack>', 'name of a pack, or a file (with a / or a dot)')
      .option('--source', 'print it as it is written, with its comments')
      .option('--json', 'print JSON'),
  )
    .addHelpText(
      'after',
      `
What is printed is a complete pack again; the hash is what bills name it by. A name is
looked up on the running server, which has the highest version; without one, among the
packs that come with Weir.

Examples:
  $ weir rules show ucloud-cdn
  $ weir rules show generic-95 --source > my-95.yaml
  $ weir rules show ./my-95.yaml --json`,
    )
    .action(async (name: string, options: ShowOptions) => {
      const { file, text } = await readKnownPack(context, options, name)
      if (options.source === true) {
        context.write(text)
        return
      }
      const pack = parseRulePack(text, file)
      const hash = hashPack(pack)
      const shown = toPackFile(pack)
      context.write(
        options.json === true
          ? `${JSON.stringify({ ...shown, hash }, null, 2)}\n`
          : `# sha256 ${hash}\n${stringify(shown, { lineWidth: 0 })}`,
      )
    })
}

function checkCommand(context: CliContext): Command {
  return new Command('check')
    .description('Check rule files, report every mistake, and say what was understood.')
    .argument('<file...>', 'rule files, or - for the standard input')
    .addHelpText(
      'after',
      `
A mistake is a line \`file:line:column: field: what is wrong\`. Sends nothing
anywhere. Exit code 1 when something is wrong.

Examples:
  $ weir rules check my-cdn.yaml
  $ weir rules check rules/*.yaml`,
    )
    .action((files: readonly string[]) => {
      const told = files.map(checkFile)
      context.write(told.map(({ text }) => text).join(''))
      if (told.some(({ isSound }) => !isSound)) context.exitWith(1)
    })
}

function checkFile(file: string): { readonly isSound: boolean; readonly text: string } {
  const source = tryRead(file)
  if (source === undefined) return { isSound: false, text: `${file}:1:1: cannot be read\n` }
  const { pack, problems } = checkRulePack(source.text)
  if (pack !== null) return { isSound: true, text: describeFile(file, pack) }
  const lines = problems.map((problem) => `${formatProblem(file, problem)}\n`)
  return { isSound: false, text: lines.join('') }
}

/** A file that cannot be read is one mistake among others; the rest are checked all the same. */
function tryRead(file: string): RuleFile | undefined {
  try {
    return readRuleFile(file)
  } catch (error) {
    if (error instanceof AppError) return undefined
    throw error
  }
}

function describeFile(file: string, pack: RulePack): string {
  return `${file}: ${describePack(pack)}  sha256 ${hashPack(pack)}\n`
}
