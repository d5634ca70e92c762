import { z } from 'zod'
import { ConfigFile } from './config.ts'

interface JsonSchema {
  readonly type?: string
  readonly description?: string
  readonly default?: unknown
  readonly const?: string
  readonly enum?: readonly string[]
  readonly minimum?: number
  readonly maximum?: number
  readonly items?: JsonSchema
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: readonly string[]
}

const HEAD = `# Configuration

Written from the schema in \`src/config/config.ts\`; a test keeps the two equal.

Weir reads one YAML file: \`--config FILE\`, else the file named by \`WEIR_CONFIG\`, else \`weir.yaml\`
in the working directory, else none. Every key is optional. An unknown key is an error. Relative
paths start at the working directory. What is said later wins: defaults, the file, environment
variables, flags.

An environment variable is \`WEIR_\`, then the section and the key in capitals, joined by two
underscores: \`WEIR_SERVER__PORT=80\`, \`WEIR_INGEST__JOURNAL__BYTES_MAX=1GiB\`. Lists are YAML:
\`WEIR_ROLES=[api]\`.

Durations are whole numbers with ms, s, m, h or d, such as \`90s\` or \`1h30m\`. Sizes are numbers with
B, kB, MB, GB (powers of 1000) or KiB, MiB, GiB (powers of 1024).

\`weir check-config\` reports all mistakes at once; \`weir dump-config\` prints what is in force.
`

/** Writes the page that documents every configuration key. */
export function configReference(): string {
  const schema = z.toJSONSchema(ConfigFile, { io: 'input' }) as JsonSchema
  const pages = Object.entries(schema.properties ?? {}).map(([name, section]) =>
    sectionPage(name, section),
  )
  return [HEAD, ...pages].join('\n')
}

function sectionPage(name: string, section: JsonSchema): string {
  const head = `## ${name}\n\n${section.description ?? ''}\n`
  if (section.properties === undefined && section.items?.properties === undefined) {
    return `${head}\n${type(section)}. Default: ${fallback(section, false)}.\n`
  }
  const item = section.items ?? section
  return [
    head,
    '| key | type | default | meaning |',
    '|---|---|---|---|',
    ...rows(item, ''),
    '',
  ].join('\n')
}

function rows(section: JsonSchema, prefix: string): string[] {
  return Object.entries(section.properties ?? {}).flatMap(([key, field]) => {
    if (field.properties !== undefined) return rows(field, `${prefix}${key}.`)
    const isRequired = section.required?.includes(key) ?? false
    const cells = [
      `\`${prefix}${key}\``,
      type(field),
      fallback(field, isRequired),
      field.description ?? '',
    ]
    return [`| ${cells.join(' | ').replaceAll('\n', ' ')} |`]
  })
}

function type(field: JsonSchema): string {
  if (field.const !== undefined) return `\`${field.const}\``
  if (field.enum !== undefined) return field.enum.map((value) => `\`${value}\``).join(', ')
  if (field.type === 'array')
    return `list of ${field.items === undefined ? 'text' : type(field.items)}`
  if (field.type === 'integer') return `${field.minimum} … ${field.maximum}`
  return field.type === 'string' ? 'text' : (field.type ?? '')
}

function fallback(field: JsonSchema, isRequired: boolean): string {
  if (isRequired) return 'required'
  return field.default === undefined
    ? 'none'
    : `\`${JSON.stringify(field.default).replaceAll('"', '')}\``
}
