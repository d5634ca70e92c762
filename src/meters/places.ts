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

/** Billing areas of CDN traffic. */
export const AREAS = ['abroad', 'cn'] as const

/** Access regions of MNA gateways: Chinese mainland, Asia Pacific, Europe, Americas. */
export const ACCESS_REGIONS = ['MC', 'AP', 'EU', 'AM'] as const
