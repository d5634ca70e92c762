import { AppError } from '../../core/errors.ts'
import type { Fields } from '../json-text.ts'
import type { Caller, OperationDeps } from '../operations/caller.ts'
import { type ParameterTable, readParameters, type Sent, type Values } from './parameters.ts'

/** What an action may use beside its parameters. */
export interface ActionCall {
  readonly caller: Caller
  readonly deps: OperationDeps
}

interface Declaration<P extends ParameterTable> {
  readonly name: string
  /** One sentence: what it answers. */
  readonly summary: string
  /** Vendor document that it follows. */
  readonly source: string
  readonly parameters: P
  /** Operations' neutral field names → the vendor's parameter. */
  readonly fields?: Readonly<Record<string, keyof P & string>>
  readonly answer: (values: Values<P>, call: ActionCall) => Promise<Fields>
}

/** An action of the Tencent dialect. Routing, validation and documentation read nothing else. */
export interface TencentAction {
  readonly name: string
  readonly summary: string
  readonly source: string
  readonly parameters: ParameterTable
  readonly run: (sent: Sent, call: ActionCall) => Promise<Fields>
}

/** Declares an action. */
export function tencentAction<const P extends ParameterTable>(
  declaration: Declaration<P>,
): TencentAction {
  const { name, summary, source, parameters, fields = {}, answer } = declaration
  const run = async (sent: Sent, call: ActionCall): Promise<Fields> => {
    const values = readParameters(parameters, sent)
    try {
      return await answer(values, call)
    } catch (error) {
      throw nameAsSent(error, fields)
    }
  }
  return { name, summary, source, parameters, run }
}

function nameAsSent(
  thrown: unknown,
  fields: Readonly<Record<string, string | undefined>>,
): unknown {
  if (!(thrown instanceof AppError) || thrown.field === undefined) return thrown
  const field = fields[thrown.field]
  if (field === undefined) return thrown
  return new AppError(thrown.code, thrown.message, { cause: thrown, field })
}
