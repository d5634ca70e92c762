import { readFileSync } from 'node:fs'
import { Command } from 'commander'
import { diffCatalog, formatDiff } from '../catalog/diff.ts'
import type { Step, StepKind } from '../catalog/diff-draft.ts'
import { parseManifest } from '../catalog/manifest.ts'
import { AppError } from '../core/errors.ts'
import { type AdminClient, type Wire, pathOf } from './admin-client.ts'
import { addAdminOptions, connectAdmin } from './admin-command.ts'
import { readSnapshot } from './catalog-snapshot.ts'
import type { CliContext } from './context.ts'

const COLLECTIONS: Readonly<Record<StepKind, string>> = {
  brand: 'brands',
  region: 'regions',
  account: 'accounts',
  project: 'projects',
  resource: 'resources',
  'traffic-package': 'traffic-packages',
  'exclusive-package': 'exclusive-packages',
  source: 'sources',
}

const STDIN = 0

/** `weir apply catalog.yaml` */
export function applyCommand(context: CliContext): Command {
  const command = new Command('apply')
    .description('Bring the catalog to what a file says; without changes it does nothing.')
    .argument('<file>', 'catalog file, or - for the standard input')
    .option('--dry-run', 'only show what would change')
    .option('--prune', 'also remove resources, exclusive packages and sources the file leaves out')
  addAdminOptions(command).addHelpText(
    'after',
    '\nExample:\n  $ weir apply catalog.yaml --dry-run\n\nA file may hold brands, regions, accounts with projects, resources, packages and sources.',
  )
  return command.action(async (file: string, options: Wire) => {
    const manifest = parseManifest(readText(file), file)
    const client = connectAdmin(context, options)
    const prune = options['prune'] === true
    const diff = diffCatalog(manifest, await readSnapshot(client), { prune })
    const json = options['json'] === true
    if (!json) context.write(`${formatDiff(diff)}\n`)
    if (diff.conflicts.length > 0) {
      const lines = diff.conflicts.map((text) => `! ${text}`)
      throw new AppError('conflict', ['Nothing was applied.', ...(json ? lines : [])].join('\n'))
    }
    const isDry = options['dryRun'] === true
    const answers = isDry ? [] : await applySteps(client, diff.steps)
    if (json) context.write(`${formatJson({ ...diff, applied: answers })}\n`)
    else if (answers.length > 0) context.write(formatTokens(diff.steps, answers))
  })
}

function readText(file: string): string {
  try {
    return readFileSync(file === '-' ? STDIN : file, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new AppError('not_found', `${file} cannot be read (${code}).`, { cause: error })
  }
}

function formatJson(value: unknown): string {
  const plain = (_key: string, part: unknown) => (typeof part === 'bigint' ? String(part) : part)
  return JSON.stringify(value, plain, 2)
}

/** One after the other, in the order of the diff: later steps name what earlier ones make. */
async function applySteps(client: AdminClient, steps: readonly Step[]): Promise<readonly Wire[]> {
  const answers: Wire[] = []
  for (const step of steps) {
    try {
      answers.push(await applyStep(client, step))
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      throw new AppError(
        error.code,
        `${step.verb} ${step.kind} ${step.name}: ${error.message} (${answers.length} of ${steps.length} changes were applied; run it again after correcting this.)`,
        { cause: error },
      )
    }
  }
  return answers
}

function applyStep(client: AdminClient, step: Step): Promise<Wire> {
  const collection = COLLECTIONS[step.kind]
  switch (step.verb) {
    case 'create':
      return client.send('POST', `/${collection}`, step.body)
    case 'update':
      return client.send('PATCH', pathOf(collection, step.id), step.body)
    case 'delete':
      return client.send('DELETE', pathOf(collection, step.id))
    case 'revoke':
      return client.send('POST', pathOf(collection, step.id, 'revoke'))
    case 'move':
    case 'pay-mode':
      return client.send('POST', pathOf(collection, step.id, step.verb), step.body)
  }
}

function formatTokens(steps: readonly Step[], answers: readonly Wire[]): string {
  const lines = answers.flatMap((answer, index) =>
    typeof answer['token'] === 'string'
      ? [`source ${steps[index]?.name} has the ingest token ${answer['token']} (not shown again)`]
      : [],
  )
  return [...lines, `Applied ${answers.length}.`, ''].join('\n')
}
