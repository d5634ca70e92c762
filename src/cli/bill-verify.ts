import { Command } from 'commander'
import { billPath } from './bill-text.ts'
import type { CliContext } from './context.ts'
import { addAddressOptions, addressOf, type AddressOptions, request } from './server-address.ts'

interface WireVerification {
  readonly id: string
  readonly checks: number
  readonly findings: readonly {
    readonly check: string
    readonly expected: string
    readonly actual: string
  }[]
}

/** `weir bill verify` */
export function billVerifyCommand(context: CliContext): Command {
  return addAddressOptions(
    new Command('verify')
      .description('Compute a bill again from what it was made of, and compare byte for byte.')
      .argument('<bill>', 'its id'),
  )
    .option('--json', 'print JSON (default when the output is no terminal)')
    .addHelpText(
      'after',
      '\nExit code 1 when something differs.\n\n' +
        'Example:\n  $ weir bill verify acc-example.cdn.2026-10',
    )
    .action(async (id: string, options: AddressOptions & { json?: true }) => {
      const text = await request(addressOf(context, options), 'POST', billPath(id, '/verify'), {})
      const found = JSON.parse(text) as WireVerification
      context.write(
        options.json === true || !context.isTerminal
          ? `${JSON.stringify(found, null, 2)}\n`
          : renderVerification(found),
      )
      if (found.findings.length > 0) context.exitWith(1)
    })
}

function renderVerification({ id, checks, findings }: WireVerification): string {
  if (findings.length === 0) return `✓ ${id}: ${checks} comparisons, all equal.\n`
  const lines = findings.map(
    ({ check, expected, actual }) => `✗ ${check}: expected ${expected}, found ${actual}`,
  )
  const summary = `${id}: ${findings.length} of ${checks} comparisons differ.`
  return `${[...lines, summary].join('\n')}\n`
}
