import { TEXT_LENGTH_MAX, type RecordField } from '../../meters/records.ts'

/** Recognises records written like one that was checked before, without parsing them. */
export interface UsualLines {
  /**
   * Offset behind the line that begins at `start`, its LF included; -1 for a line that looks like
   * none of those learned.
   */
  endOf(text: string, start: number): number
  /** Learns how the fields of a well-formed record are laid out. */
  learn(record: Readonly<Record<string, unknown>>): void
}

/** Layouts told apart at a time; records of one sender have few. */
const LAYOUTS_MAX = 4

/** ASCII without quote, backslash and control characters: what needs no unescaping. */
const PLAIN = String.raw`[ !#-\[\]-~]`

const DAY_OF_YEAR = String.raw`(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)|(?:0[13578]|1[02])-31)`
const ISO_TIME = String.raw`\d{4}-${DAY_OF_YEAR}[T ](?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?(?:Z|[+-](?:0\d|1[0-4]):?[0-5]\d)`

/**
 * Builds a recogniser for records of some fields. It knows nothing until it has learned.
 *
 * Shape: a match is a record that `checkRecord` accepts and the engine reads; what does not match
 * may be one too. One expression per layout (which fields, in which order) does in a fraction of
 * the time what parsing and checking field by field does.
 */
export function createUsualLines(fields: readonly RecordField[]): UsualLines {
  const byName = new Map(fields.map((field) => [field.name, field]))
  const layouts = new Map<string, RegExp>()
  return {
    endOf(text, start) {
      for (const layout of layouts.values()) {
        layout.lastIndex = start
        if (layout.test(text)) return layout.lastIndex
      }
      return -1
    },
    learn(record) {
      const names = Object.keys(record)
      const known = names.flatMap((name) => byName.get(name) ?? [])
      const key = names.join()
      if (known.length < names.length || layouts.has(key) || layouts.size >= LAYOUTS_MAX) return
      // An expression sees one field at a time, not what two of them say together.
      if (known.some(({ implies }) => implies && names.includes(implies.field))) return
      layouts.set(key, layoutOf(known))
    },
  }
}

function layoutOf(fields: readonly RecordField[]): RegExp {
  const members = fields.map((field) => `"${field.name}": ?${patternOf(field)}`)
  return new RegExp(String.raw`\{${members.join(', ?')}\}\r?\n`, 'y')
}

function patternOf(field: RecordField): string {
  switch (field.type) {
    case 'text':
      return `"${PLAIN}{${field.required ? 1 : 0},${TEXT_LENGTH_MAX}}"`
    case 'time':
      return String.raw`(?:"${ISO_TIME}"|[1-9]\d{0,12})`
    case 'quantity':
      // Fifteen digits stay below 2^50.
      return String.raw`(?:0|[1-9]\d{0,14})`
    case 'choice':
      return `(?:${(field.choices ?? []).map((choice) => `"${choice}"`).join('|')})`
  }
}
