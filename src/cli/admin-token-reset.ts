import { Command } from 'commander'
import { resetAdminToken, type ResetToken } from '../compose-admin-token.ts'
import { adminTokenPath, saveAdminToken } from '../config/admin-token-file.ts'
import type { CliContext } from './context.ts'
import { renderEntry } from './entry-table.ts'
import { configOf, type AddressOptions } from './server-address.ts'

/** `weir admin-token reset`: the way back in for whoever has lost every admin token. */
export function adminTokenResetCommand(context: CliContext): Command {
  return new Command('reset')
    .description('Make a new admin token without one, on the machine of the server.')
    .option('--config <file>', 'configuration that names the data directory and the control store')
    .option('--data <directory>', 'data directory (default: ./data)')
    .option('--json', 'print JSON (default when the output is no terminal)')
    .addHelpText(
      'after',
      `
For when the last admin token is lost. Asks no server, but writes to the control
store that the configuration names: the file in the data directory, or a
postgres:// database. A running server knows the token within a second; none has
to run. Needs a user who may read and write there, best the one the server runs as.

The token is shown once, and kept in the file admin-token of the data directory,
where commands on this machine find it. Other tokens stay valid: a lost one that
somebody may find is made unusable with \`weir admin-token revoke\`. The audit log
records the reset (\`admin-token.reset\` by system).

Examples:
  $ weir admin-token reset --data /var/lib/weir
  $ weir admin-token reset --config /etc/weir/weir.yaml`,
    )
    .action(async (options: AddressOptions & { json?: true }) => {
      const config = configOf(context, options)
      const made = await resetAdminToken(config, context.clock)
      // The token counts by now: it must be shown, whatever becomes of the file.
      const kept = keep(config.data.directory, made.token)
      const isJson = options.json === true || !context.isTerminal
      context.write(isJson ? toJson(made, kept) : toText(made, kept))
    })
}

interface Kept {
  readonly file: string
  /** Why it could not be written; null: it was. */
  readonly failure: string | null
}

function keep(directory: string, token: string): Kept {
  const file = adminTokenPath(directory)
  try {
    saveAdminToken(directory, token)
    return { file, failure: null }
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (typeof code !== 'string') throw error
    return { file, failure: code }
  }
}

function entryOf({ adminToken: { id, name, createdMs }, token }: ResetToken): object {
  return { id, name, createdAt: new Date(createdMs).toISOString(), token }
}

function toJson(made: ResetToken, { file, failure }: Kept): string {
  const others = made.others.map(({ id, name }) => ({ id, name }))
  const answer = { ...entryOf(made), file: failure === null ? file : null, others }
  return `${JSON.stringify(answer, null, 2)}\n`
}

function toText(made: ResetToken, { file, failure }: Kept): string {
  const kept =
    failure === null
      ? `Kept in ${file}, where commands on this machine find it; it is not shown again.`
      : `Keep the token: it is not shown again, and ${file} could not be written (${failure}).`
  const others =
    made.others.length === 0
      ? 'It is the only one.'
      : `Also valid, until revoked with \`weir admin-token revoke ID\`:\n` +
        made.others.map(({ id, name }) => `  ${id}  ${name}`).join('\n')
  return `${renderEntry({ ...entryOf(made) })}${kept}\n${others}\n`
}
