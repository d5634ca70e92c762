import { Command } from 'commander'
import type { CliContext } from './context.ts'
import { addAddressOptions, addressOf, request, type AddressOptions } from './server-address.ts'

interface Report {
  readonly checks: number
  readonly findings: readonly {
    readonly check: string
    readonly expected: string
    readonly actual: string
  }[]
}

/** `weir audit`: compares a running server's books with themselves. */
export function auditCommand(context: CliContext): Command {
  return addAddressOptions(
    new Command('audit').description('Check that nothing was lost or counted twice, on live data.'),
  )
    .option('--json', 'print the report as JSON')
    .addHelpText(
      'after',
      `
Compares, per day and quantity, every rollup with the usage it was made of, and
per source what was received with what became of it; walks the chains of hashes of
the ledger and of the audit log, and adds the ledger's balances up again. Loading
goes on meanwhile: a batch that is just being rolled up may show as a difference;
run it again.

Exit code 1 when something differs.`,
    )
    .action(async (options: AddressOptions & { json?: true }) => {
      const text = await request(addressOf(context, options), 'POST', '/admin/v1/audit', {})
      const report = JSON.parse(text) as Report
      context.write(options.json === true ? `${text}\n` : renderReport(report))
      if (report.findings.length > 0) context.exitWith(1)
    })
}

function renderReport({ checks, findings }: Report): string {
  if (findings.length === 0) return `✓ ${checks} comparisons, all equal.\n`
  const lines = findings.map(
    ({ check, expected, actual }) => `✗ ${check}: expected ${expected}, found ${actual}`,
  )
  return `${[...lines, `${findings.length} of ${checks} comparisons differ.`].join('\n')}\n`
}
