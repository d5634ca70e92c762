import type { BillingRegion } from '../meters/places.ts'
import { billingRegionOf } from './countries.ts'

/** Where a client is, in the vendor's codes. Source: docs/explanation/attribution.md. */
export interface GeoRegion {
  /** `cn` is mainland China; Hong Kong, Macau, Taiwan and every other place are `abroad`. */
  readonly area: 'cn' | 'abroad'
  /** The area follows from it. */
  readonly billingRegion: BillingRegion
  /** One of PROVINCES, or `others`. */
  readonly province: string
  /** One of CARRIERS. */
  readonly isp: string
}

/**
 * Province code → the name's first characters in the address database. Source: UCDN API, province
 * codes.
 */
const PROVINCE_NAMES: Readonly<Record<string, string>> = {
  anhui: '安徽',
  aomen: '澳门',
  beijing: '北京',
  chongqing: '重庆',
  fujian: '福建',
  gansu: '甘肃',
  guangdong: '广东',
  guangxi: '广西',
  guizhou: '贵州',
  hainan: '海南',
  hebei: '河北',
  heilongjiang: '黑龙江',
  henan: '河南',
  hubei: '湖北',
  hunan: '湖南',
  jiangsu: '江苏',
  jiangxi: '江西',
  jilin: '吉林',
  liaoning: '辽宁',
  neimenggu: '内蒙古',
  ningxia: '宁夏',
  qinghai: '青海',
  shaanxi: '陕西',
  shandong: '山东',
  shanghai: '上海',
  shanxi: '山西',
  sichuan: '四川',
  taiwan: '台湾',
  tianjin: '天津',
  xianggang: '香港',
  xinjiang: '新疆',
  xizang: '西藏',
  yunnan: '云南',
  zhejiang: '浙江',
}

/** The 34 province codes. */
export const PROVINCES: readonly string[] = Object.keys(PROVINCE_NAMES)

/** The 7 carrier codes. */
export const CARRIERS: readonly string[] = [
  'yidong',
  'dianxin',
  'liantong',
  'changkuan',
  'jiaoyuwang',
  'guangdian',
  'others',
]

/** Sold and billed as abroad, although the database counts them to China. */
const ABROAD_PROVINCES = new Set(['xianggang', 'aomen', 'taiwan'])

/**
 * Carrier names of the mainland, by code. Anchored: 中华电信, 新加坡电信 and the like are other
 * companies than 电信. 铁通 and 网通 were taken over by 移动 and 联通.
 */
const CARRIER_PATTERNS: readonly (readonly [isp: string, pattern: RegExp])[] = [
  ['dianxin', /^(中国)?电信/],
  ['liantong', /^(中国)?(联通|网通)/],
  ['yidong', /^(中国)?(移动|铁通)/],
  ['jiaoyuwang', /^(中国)?教育(和科研计算机)?网($|\(CERNET)|CERNET/],
  ['changkuan', /长城宽带|鹏博士|宽带通/],
  ['guangdian', /广电|广播电视|有线|歌华|华数|天威|吉视传媒|珠江宽频/],
]

/**
 * What an address means that the database does not know (private, reserved, missing).
 *
 * The area decides which package pays: the domestic one, which costs the payer less.
 */
export const UNKNOWN_REGION: GeoRegion = {
  area: 'cn',
  billingRegion: 'cn',
  province: 'others',
  isp: 'others',
}

/**
 * Reads a region of the IPv4 database: `country|district|province|city|carrier`, `0` for unknown.
 *
 * Errors: none; what it does not know is `others`.
 */
export function regionOfIpv4(text: string): GeoRegion {
  const [country = '0', , province = '0', , carrier = '0'] = text.split('|')
  if (country === '0' || country === '') return UNKNOWN_REGION
  return country === '中国' ? regionOfChina(province, carrier) : regionAbroad([country])
}

/**
 * Reads a region of the IPv6 database: a place such as `中国 江苏省 南京市`, and a network.
 *
 * Shape: white space parts the names of a place; `美国 波多黎各` is a territory of a country.
 * Errors: none; what it does not know is `others`.
 */
export function regionOfIpv6(place: string, network: string): GeoRegion {
  if (place === '' || place.startsWith('IANA') || place === '局域网') return UNKNOWN_REGION
  if (!place.startsWith('中国')) return regionAbroad(place.split(/\s+/))
  return regionOfChina(place.slice(2).trimStart(), network)
}

function regionAbroad(names: readonly string[]): GeoRegion {
  const billingRegion = billingRegionOf(names)
  return { area: 'abroad', billingRegion, province: 'others', isp: 'others' }
}

function regionOfChina(place: string, carrier: string): GeoRegion {
  const province =
    PROVINCES.find((code) => place.startsWith(PROVINCE_NAMES[code] ?? '')) ?? 'others'
  if (ABROAD_PROVINCES.has(province)) {
    return { area: 'abroad', billingRegion: 'apac1', province, isp: 'others' }
  }
  const isp = CARRIER_PATTERNS.find(([, pattern]) => pattern.test(carrier))?.[0] ?? 'others'
  return { area: 'cn', billingRegion: 'cn', province, isp }
}
