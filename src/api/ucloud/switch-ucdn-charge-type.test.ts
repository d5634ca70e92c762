import { expect, test } from 'vitest'
import { fakeDeps } from '../../../test/support/fakes.ts'
import { type How, type Input, signedCall } from '../../../test/support/ucloud-calls.ts'
import { standardWorld } from '../../../test/support/world.ts'
import type { JsonValue } from '../json-text.ts'
import { answerUcloud } from './dialect.ts'

async function ask(input: Input, how: How = {}) {
  const world = standardWorld()
  const call = signedCall('SwitchUcdnChargeType', input, how)
  const { body } = await answerUcloud(call, 'call-1', fakeDeps(world))
  return { reply: JSON.parse(body) as Record<string, JsonValue>, switches: world.switches }
}

test.each(['traffic', 'bandwidth'])('%s is switched to, and the envelope is all', async (type) => {
  const { reply, switches } = await ask({ ChargeType: type })
  expect(reply).toEqual({ Action: 'SwitchUcdnChargeTypeResponse', RetCode: 0 })
  const actor = 'account acc-a'
  expect(switches).toEqual([{ account: 'acc-a', meter: 'cdn', chargeType: type, actor }])
})

test.each<[string, Input, number, string, How?]>([
  ['no type', {}, 220, 'ChargeType'],
  ['an unknown type', { ChargeType: 'monthly' }, 230, 'ChargeType'],
  ['a type in capitals', { ChargeType: 'Traffic' }, 230, 'ChargeType'],
  ['a foreign project', { ChargeType: 'traffic', ProjectId: 'org-b' }, 292, 'org-b'],
  [
    'a sub-account, whose parent pays',
    { ChargeType: 'traffic', ProjectId: 'org-a' },
    299,
    '',
    { key: ['pk-sub', 'sk-sub'] },
  ],
])('%s is refused and switches nothing', async (_what, input, code, word, how) => {
  const { reply, switches } = await ask(input, how)
  expect(reply).toMatchObject({ RetCode: code, Message: expect.stringContaining(word) })
  expect(switches).toEqual([])
})
