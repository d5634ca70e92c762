import type { TencentAction } from './action.ts'
import { getFlowStatisticByRegion } from './get-flow-statistic-by-region.ts'
import { orderFlowPackage } from './order-flow-package.ts'

/** The product that this dialect answers as. */
export const SERVICE = 'mna'

/** Version of the API whose actions are listed here. */
export const VERSION = '2021-01-19'

const ACTIONS: readonly TencentAction[] = [getFlowStatisticByRegion, orderFlowPackage]

/** Every action of the Tencent dialect by name, in the order of the documentation. */
export const TENCENT_ACTIONS: ReadonlyMap<string, TencentAction> = new Map(
  ACTIONS.map((action) => [action.name, action]),
)
