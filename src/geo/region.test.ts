import { expect, test } from 'vitest'
import { lookup } from './geo.ts'
import { CARRIERS, type GeoRegion, PROVINCES, regionOfIpv4, regionOfIpv6 } from './region.ts'

/** The billing region, with its area where that has another name, then province and carrier. */
function namesOf({ area, billingRegion, province, isp }: GeoRegion): string {
  const region = area === billingRegion ? area : `${area}/${billingRegion}`
  return `${region} ${province} ${isp}`
}

test('has the 34 provinces and 7 carriers of the vendor', () => {
  expect(PROVINCES).toHaveLength(34)
  expect(CARRIERS).toHaveLength(7)
})

test.each([
  ['中国|0|广东省|深圳市|电信', 'cn guangdong dianxin'],
  ['中国|0|北京|北京市|联通', 'cn beijing liantong'],
  ['中国|0|内蒙古|包头市|移动', 'cn neimenggu yidong'],
  ['中国|0|黑龙江省|0|铁通', 'cn heilongjiang yidong'],
  ['中国|0|陕西省|西安市|教育网', 'cn shaanxi jiaoyuwang'],
  ['中国|0|山西省|太原市|0', 'cn shanxi others'],
  ['中国|0|上海|上海市|鹏博士', 'cn shanghai changkuan'],
  ['中国|0|湖南省|长沙市|湖南广电', 'cn hunan guangdian'],
  ['中国|0|浙江省|杭州市|华数', 'cn zhejiang guangdian'],
  ['中国|0|上海|上海市|有线通', 'cn shanghai guangdian'],
  // Companies that are not China Telecom, although the name ends like it.
  ['中国|0|上海|上海市|亚太电信', 'cn shanghai others'],
  ['中国|0|0|0|阿里云', 'cn others others'],
  ['中国|0|香港|0|电信', 'abroad/apac1 xianggang others'],
  ['中国|0|台湾省|台北市|中华电信', 'abroad/apac1 taiwan others'],
  ['中国|0|澳门|0|澳门电讯', 'abroad/apac1 aomen others'],
  ['美国|0|0|0|0', 'abroad/eu-na others others'],
  ['新加坡|0|0|0|0', 'abroad/apac1 others others'],
  ['波多黎各|0|0|0|0', 'abroad/latam others others'],
  ['亚太地区|0|0|0|0', 'abroad others others'],
  ['亚特兰蒂斯|0|0|0|0', 'abroad others others'],
  ['0|0|0|内网IP|内网IP', 'cn others others'],
  ['', 'cn others others'],
])('IPv4 region %s is %s', (text, want) => {
  expect(namesOf(regionOfIpv4(text))).toBe(want)
})

test.each([
  ['中国\t江苏省\t南京市', '中国电信公众宽带', 'cn jiangsu dianxin'],
  ['中国内蒙古区', '中国移动城域网', 'cn neimenggu yidong'],
  ['中国北京市', '教育网(CERNET)', 'cn beijing jiaoyuwang'],
  ['中国', '中国联通3GNET网络', 'cn others liantong'],
  ['中国上海市', '中国科技网(CSTNET)', 'cn shanghai others'],
  ['中国台湾省台北市', '教育网(TANET)', 'abroad/apac1 taiwan others'],
  ['中国香港区', '中国移动', 'abroad/apac1 xianggang others'],
  ['欧洲和中东地区', 'Telia Carrier 骨干网', 'abroad others others'],
  ['全球', 'Google', 'abroad others others'],
  ['印度\tMaharashtra邦\tMumbai', '', 'abroad/apac3 others others'],
  ['印度尼西亚', '', 'abroad/apac2 others others'],
  ['法国', '', 'abroad/eu-na others others'],
  ['法国\t留尼汪', '', 'abroad/me-africa others others'],
  ['法国 法属圭亚那', '', 'abroad/latam others others'],
  ['英国\t英格兰\tSurrey', '', 'abroad/eu-na others others'],
  ['IANA保留地址', '', 'cn others others'],
  ['局域网', '', 'cn others others'],
])('IPv6 place %s of %s is %s', (place, network, want) => {
  expect(namesOf(regionOfIpv6(place, network))).toBe(want)
})

test.each([
  ['202.96.134.133', 'cn guangdong dianxin'],
  ['::ffff:202.96.134.133', 'cn guangdong dianxin'],
  ['::FFFF:ca60:8685', 'cn guangdong dianxin'],
  ['8.8.8.8', 'abroad/eu-na others others'],
  ['1.64.0.1', 'abroad/apac1 xianggang others'],
  ['10.1.2.3', 'cn others others'],
  ['0.0.0.0', 'cn others others'],
  ['255.255.255.255', 'cn others others'],
  ['2001:da8::1', 'cn beijing jiaoyuwang'],
  ['240e::1', 'cn others dianxin'],
  ['2a00:1450::1', 'abroad/eu-na others others'],
  ['::1', 'cn others others'],
  ['fe80::1%eth0', 'cn others others'],
  ['not an address', 'cn others others'],
])('address %s is %s', (address, want) => {
  expect(namesOf(lookup(address))).toBe(want)
})
