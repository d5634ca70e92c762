import type { BillingRegion } from '../meters/places.ts'

/** A billing region abroad. */
export type AbroadRegion = Exclude<BillingRegion, 'cn'>

/**
 * Billing region → the countries and larger areas in it, as the address databases name them.
 *
 * Places of more than one billing region, or of none, are listed as `abroad`.
 * Source: docs/explanation/attribution.md.
 */
const NAMES: Readonly<Record<AbroadRegion, string>> = {
  apac1: '日本 韩国 新加坡 日韩地区',
  apac2: `
    泰国 越南 印度尼西亚 马来西亚 菲律宾 柬埔寨 老挝 缅甸 文莱 东帝汶 蒙古 朝鲜`,
  apac3: `
    印度 巴基斯坦 孟加拉 孟加拉国 斯里兰卡 尼泊尔 不丹 马尔代夫 英属印度洋领地 南亚地区
    哈萨克斯坦 乌兹别克斯坦 吉尔吉斯斯坦 塔吉克斯坦 土库曼斯坦 阿富汗
    澳大利亚 新西兰 诺福克岛 圣诞岛 大洋洲地区 巴布亚新几内亚 斐济 所罗门群岛 瓦努阿图
    新喀里多尼亚 萨摩亚 美属萨摩亚 汤加 图瓦卢 基里巴斯 瑙鲁 帕劳 马绍尔群岛 密克罗尼西亚
    密克罗尼西亚联邦 关岛 北马里亚纳群岛 法属波利尼西亚 瓦利斯和富图纳群岛 瓦利斯和富图纳
    库克群岛 纽埃 托克劳群岛 托克劳`,
  'eu-na': `
    欧洲 欧洲地区 英伦地区 西北欧地区 西南欧地区 中欧地区 东北欧地区 东南欧和高加索地区
    德国 英国 法国 意大利 荷兰 俄罗斯 西班牙 比利时 瑞典 波兰 瑞士 挪威 芬兰 丹麦 爱尔兰 奥地利
    乌克兰 捷克 罗马尼亚 葡萄牙 匈牙利 希腊 保加利亚 立陶宛 克罗地亚 斯洛伐克 斯洛文尼亚 塞尔维亚
    拉脱维亚 白俄罗斯 摩尔多瓦 爱沙尼亚 卢森堡 塞浦路斯 冰岛 波黑 波斯尼亚和黑塞哥维那 马其顿
    北马其顿 马耳他 阿尔巴尼亚 黑山 科索沃 列支敦士登 马恩岛 泽西岛 直布罗陀 根西岛 摩纳哥 安道尔
    法罗群岛 奥兰群岛 圣马力诺 梵蒂冈 格鲁吉亚 阿塞拜疆 亚美尼亚
    美国 加拿大 北美地区 格陵兰 百慕大 圣皮埃尔和密克隆群岛 圣皮埃尔和密克隆`,
  'me-africa': `
    非洲 非洲地区 中东地区 北非地区 中非地区 南非地区
    土耳其 伊朗 沙特阿拉伯 以色列 阿联酋 科威特 叙利亚 阿曼 卡塔尔 伊拉克 巴勒斯坦 约旦 黎巴嫩
    巴林 也门
    南非 埃及 摩洛哥 突尼斯 肯尼亚 阿尔及利亚 尼日利亚 毛里求斯 加纳 苏丹 赞比亚 科特迪瓦 乌干达
    安哥拉 坦桑尼亚 留尼旺 留尼汪 喀麦隆 马达加斯加 马拉维 纳米比亚 莫桑比克 加蓬 塞内加尔 卢旺达
    利比亚 埃塞俄比亚 多哥 塞舌尔 布基纳法索 冈比亚 津巴布韦 利比里亚 贝宁 刚果金 刚果(金) 博茨瓦纳
    刚果布 刚果(布) 莱索托 塞拉利昂 马里 吉布提 斯威士兰 索马里 毛里塔尼亚 尼日尔 布隆迪 佛得角
    几内亚 乍得 马约特 赤道几内亚 南苏丹 圣多美和普林西比 中非 科摩罗 厄立特里亚 几内亚比绍
    法国南部领地 阿森松岛`,
  latam: `
    拉美地区 南美地区 南美西部地区 中美地区 中美洲地区 加勒比海地区 加勒比区
    墨西哥 巴西 阿根廷 哥伦比亚 智利 委内瑞拉 秘鲁 厄瓜多尔 乌拉圭 哥斯达黎加 巴拿马 多米尼加
    波多黎各 玻利维亚 巴拉圭 萨尔瓦多 危地马拉 特立尼达和多巴哥 洪都拉斯 尼加拉瓜 牙买加 古巴
    瓜德罗普 马提尼克 库拉索 海地 巴巴多斯 巴哈马 美属维尔京群岛 阿鲁巴 伯利兹 苏里南 圭亚那
    开曼群岛 安提瓜和巴布达 圣卢西亚 荷属圣马丁 圣马丁 法属圣马丁 法属圭亚那 格林纳达
    圣基茨和尼维斯 圣文森特和格林纳丁斯 英属维尔京群岛 多米尼克 特克斯和凯科斯群岛 安圭拉 福克兰群岛
    蒙塞拉特岛 圣巴泰勒米 圣巴泰勒米岛 安的列斯 南乔治亚岛和南桑威奇群岛`,
  abroad: `
    全球 亚太地区 大中华区 东南亚地区 太平洋地区 美洲地区 南极洲
    欧洲和中东地区 欧洲、非洲和中东地区 西北欧、南非和中东地区 希腊、英伦和中非地区`,
}

/** Every name that is known, and the billing region of what it names. */
export const COUNTRY_REGIONS: ReadonlyMap<string, AbroadRegion> = new Map(
  Object.entries(NAMES).flatMap(([region, names]) =>
    names
      .trim()
      .split(/\s+/)
      .map((name) => [name, region as AbroadRegion] as const),
  ),
)

/**
 * Finds the billing region of a place outside China.
 *
 * Shape: `names` are the country and what is named within it; a territory far from its country,
 * such as a French island in the Pacific, has a region of its own. A country that nobody has placed
 * yet is `abroad`.
 */
export function billingRegionOf(names: readonly string[]): AbroadRegion {
  const [country = '', within = ''] = names
  return COUNTRY_REGIONS.get(within) ?? COUNTRY_REGIONS.get(country) ?? 'abroad'
}
