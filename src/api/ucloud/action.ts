import type { Project } from '../../catalog/model.ts'
import { AppError } from '../../core/errors.ts'
import type { Fields } from '../json-text.ts'
import type { Caller, OperationDeps } from '../operations/caller.ts'
import { type ParameterTable, readParameters, type Values } from './parameters.ts'
import type { Parameters } from './signature.ts'

/** Common to every action that is about a project. */
export const PROJECT_ID = {
  type: 'string',
  required: false,
  doc: 'Project; the default project when absent. Sub-accounts must send it.',
} as const

/** What an action may use beside its parameters. */
export interface ActionCall {
  readonly caller: Caller
  readonly deps: OperationDeps
}

/** What an action about a project may use. */
export interface ProjectCall extends ActionCall {
  readonly project: Project
}

interface Declaration<P extends ParameterTable, Call> {
  readonly name: string
  /** One sentence: what it answers. */
  readonly summary: string
  /** Vendor document that it follows. */
  readonly source: string
  readonly parameters: P
  /** Operations' neutral field names → the vendor's parameter; lists are `field.<index>`. */
  readonly fields?: Readonly<Record<string, keyof P & string>>
  readonly answer: (values: Values<P>, call: Call) => Promise<Fields>
}

interface ActionOf<Scope, Call> {
  readonly name: string
  readonly summary: string
  readonly source: string
  readonly parameters: ParameterTable
  /** `project`: `ProjectId` is checked before the action's own parameters. */
  readonly scope: Scope
  readonly run: (sent: Parameters, call: Call) => Promise<Fields>
}

/** An action of the UCloud dialect. Routing, validation and documentation read nothing else. */
export type UcloudAction = ActionOf<'project', ProjectCall> | ActionOf<'account', ActionCall>

/** Declares an action about one project. */
export function projectAction<const P extends ParameterTable>(
  declaration: Declaration<P, ProjectCall>,
): UcloudAction {
  return build('project', declaration)
}

/** Declares an action about the account as a whole, which ignores any `ProjectId`. */
export function accountAction<const P extends ParameterTable>(
  declaration: Declaration<P, ActionCall>,
): UcloudAction {
  return build('account', declaration)
}

function build<Scope, P extends ParameterTable, Call>(
  scope: Scope,
  declaration: Declaration<P, Call>,
): ActionOf<Scope, Call> {
  const { name, summary, source, parameters, fields = {}, answer } = declaration
  const run = async (sent: Parameters, call: Call): Promise<Fields> => {
    const values = readParameters(parameters, sent)
    try {
      return await answer(values, call)
    } catch (error) {
      throw nameAsSent(error, fields, values)
    }
  }
  return { name, summary, source, parameters, scope, run }
}

/** Renames an operation's neutral field to the parameter exactly as the client spelled it. */
function nameAsSent(
  thrown: unknown,
  fields: Readonly<Record<string, string | undefined>>,
  values: Readonly<Record<string, unknown>>,
): unknown {
  if (!(thrown instanceof AppError) || thrown.field === undefined) return thrown
  const [base = '', index] = thrown.field.split('.')
  const parameter = fields[base]
  if (parameter === undefined) return thrown
  const list = values[parameter]
  const item: unknown = index !== undefined && Array.isArray(list) ? list[Number(index)] : undefined
  const field = isNamed(item) ? item.name : parameter
  return new AppError(thrown.code, thrown.message, { cause: thrown, field })
}

function isNamed(item: unknown): item is { readonly name: string } {
  return typeof item === 'object' && item !== null && 'name' in item
}
