/**
 * Province codes (pinyin) of the UCloud family; `others` is abroad or unknown.
 *
 * Order is part of the stored code of a place: append only.
 */
export const PROVINCES = [
  'others',
  'anhui',
  'aomen',
  'beijing',
  'chongqing',
  'fujian',
  'gansu',
  'guangdong',
  'guangxi',
  'guizhou',
  'hainan',
  'hebei',
  'heilongjiang',
  'henan',
  'hubei',
  'hunan',
  'jiangsu',
  'jiangxi',
  'jilin',
  'liaoning',
  'neimenggu',
  'ningxia',
  'qinghai',
  'shaanxi',
  'shandong',
  'shanghai',
  'shanxi',
  'sichuan',
  'taiwan',
  'tianjin',
  'xianggang',
  'xinjiang',
  'xizang',
  'yunnan',
  'zhejiang',
] as const

/** Carrier codes of the UCloud family; `others` is any other or unknown. */
export const ISPS = [
  'others',
  'yidong',
  'dianxin',
  'liantong',
  'changkuan',
  'jiaoyuwang',
  'guangdian',
] as const

/** Billing areas of CDN traffic; which one it is follows from the billing region. */
export const AREAS = ['abroad', 'cn'] as const

/**
 * Billing regions of CDN traffic: the zones by which packages and prices abroad are sold.
 *
 * `cn` is the mainland, every other one is abroad; `abroad` is abroad where the zone is not known.
 * Order is part of the stored code of a place: append only.
 */
export const BILLING_REGIONS = [
  'abroad',
  'cn',
  'apac1',
  'apac2',
  'apac3',
  'eu-na',
  'me-africa',
  'latam',
] as const

/** One of the billing regions. */
export type BillingRegion = (typeof BILLING_REGIONS)[number]

/** Access regions of MNA gateways: Chinese mainland, Asia Pacific, Europe, Americas. */
export const ACCESS_REGIONS = ['MC', 'AP', 'EU', 'AM'] as const
