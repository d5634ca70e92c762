import type { UcloudAction } from './action.ts'
import { buyUcdnTraffic } from './buy-ucdn-traffic.ts'
import { getEipExclusiveUtpInfo } from './get-eip-exclusive-utp-info.ts'
import { getProjectList } from './get-project-list.ts'
import { getRegion } from './get-region.ts'
import { getThroughputDailyBillingInfo } from './get-throughput-daily-billing-info.ts'
import { getUcdnProIspBandwidthV2 } from './get-ucdn-pro-isp-bandwidth-v2.ts'
import { getUcdnTrafficV2 } from './get-ucdn-traffic-v2.ts'
import { switchUcdnChargeType } from './switch-ucdn-charge-type.ts'

const ACTIONS: readonly UcloudAction[] = [
  getUcdnTrafficV2,
  getUcdnProIspBandwidthV2,
  getThroughputDailyBillingInfo,
  getEipExclusiveUtpInfo,
  buyUcdnTraffic,
  switchUcdnChargeType,
  getProjectList,
  getRegion,
]

/** Every action of the UCloud dialect by name, in the order of the documentation. */
export const UCLOUD_ACTIONS: ReadonlyMap<string, UcloudAction> = new Map(
  ACTIONS.map((action) => [action.name, action]),
)
