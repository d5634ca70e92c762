import type { Region } from './model.ts'

/** Code, name and zone suffixes of each region. */
const ROWS: readonly (readonly [region: string, name: string, zones: string])[] = [
  ['cn-bj1', 'Beijing1', '01'],
  ['cn-bj2', 'Beijing2', '02 03 05'],
  ['cn-wlcb', 'Ulanqab', '01 03'],
  ['cn-wlcb2', 'Ulanqab2', '01'],
  ['cn-sh2', 'Shanghai2', '01 02 03'],
  ['cn-jx', 'Jiaxing', '01'],
  ['cn-sh', 'FinCloud Shanghai', '01 02 03'],
  ['cn-gd2', 'Guangzhou2', '01'],
  ['cn-gd', 'Guangzhou', '02'],
  ['cn-guiyang1', 'Guiyang', '01'],
  ['hk', 'Hong Kong', '02 03'],
  ['tw-tp', 'Taipei', '01'],
  ['sg', 'Singapore', '01 02'],
  ['jpn-tky', 'Tokyo', '01'],
  ['kr-seoul', 'Seoul', '01'],
  ['th-bkk', 'Bangkok', '02'],
  ['idn-jakarta', 'Jakarta', '01'],
  ['vn-sng', 'Ho Chi Minh', '01'],
  ['ph-mnl', 'Manila', '01'],
  ['ind-mumbai', 'Mumbai', '01'],
  ['pk-khi', 'Karachi', '01'],
  ['us-den', 'Denver', '01'],
  ['us-ca', 'Los Angeles', '01'],
  ['us-ws', 'Washington', '01'],
  ['bra-saopaulo', 'Sao Paulo', '01'],
  ['rus-mosc', 'Moscow', '01 02'],
  ['ge-fra', 'Frankfurt', '01'],
  ['uk-london', 'London', '01'],
  ['uae-dubai', 'Dubai', '01'],
  ['afr-nigeria', 'Lagos', '01'],
  ['uz-tas', 'Tashkent', '01'],
  ['kz-ala', 'Almaty', '01'],
  ['mx-mex', 'Mexico City', '01'],
]

/** Region of resources that name none, and the one marked default in answers. */
export const DEFAULT_REGION = 'cn-bj2'

/** First of the numbers that stand for regions where the vendor publishes none. */
const REGION_ID_FIRST = 1_000_001

/**
 * The regions and zones with which a new catalog starts; an operator may add more.
 *
 * Source: the vendor's region list, read 2026-11. It publishes no numeric ids; these count in list
 * order.
 */
export const DEFAULT_REGIONS: readonly Region[] = ROWS.map(([region, name, zones], index) => ({
  region,
  regionId: REGION_ID_FIRST + index,
  name,
  isDefault: region === DEFAULT_REGION,
  zones: zones.split(' ').map((suffix) => `${region}-${suffix}`),
}))
