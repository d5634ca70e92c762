import { describe, expect, test } from 'vitest'
import { fakeDeps, type FakeWorld } from '../../../test/support/fakes.ts'
import { type How, type Input, tc3, v1 } from '../../../test/support/tencent-calls.ts'
import { addResource, NOW_MS, resource, standardWorld } from '../../../test/support/world.ts'
import type { RawCall } from '../raw-call.ts'
import { answerTencent } from './dialect.ts'
import { createRateLimiter, REQUESTS_PER_SECOND } from './rate-limit.ts'

const ACTION = 'OrderFlowPackage'
const ORDER: Input = {
  PackageType: 'DEVICE_1_FLOW_20G',
  DeviceList: ['mna-a'],
  AutoRenewFlag: false,
  PackageRegion: 0,
}

/** acc-a has one gateway more, and one that is gone. */
function worldOfGateways(): FakeWorld {
  const world = standardWorld()
  addResource(world, resource('mna-a2', 'mna', 'org-a2'))
  addResource(world, resource('mna-gone', 'mna', 'org-a', { deletedMs: NOW_MS - 1 }))
  return world
}

async function send(call: RawCall, world: FakeWorld): Promise<string> {
  const deps = { ...fakeDeps(world), limiter: createRateLimiter(REQUESTS_PER_SECOND) }
  return (await answerTencent(call, 'call-1', deps)).body
}

function order(input: Input, world: FakeWorld, how: How = {}): Promise<string> {
  return send(tc3({ ...ORDER, ...input }, { action: ACTION, ...how }), world)
}

const DONE = '{"Response":{"ResourceId":"pkg-bought-1","RequestId":"call-1"}}'

test('an order answers the package, which pays for the named devices for a month', async () => {
  const world = worldOfGateways()
  expect(await order({}, world)).toBe(DONE)
  // Of 20 GB the vendor's own answers say 20000 MB.
  expect(world.trafficPackages).toMatchObject([
    {
      accountId: 'acc-a',
      meter: 'mna',
      resourceIds: ['mna-a'],
      areas: null,
      kinds: null,
      sizeBytes: 20_000n * 10n ** 6n,
      offer: 'DEVICE_1_FLOW_20G',
    },
  ])
  // From 15:34:05 of the 21st until 15:34:04 of the next, the last second inside.
  expect(world.trafficPackages[0]?.endMs).toBe(Date.UTC(2026, 11, 21, 7, 34, 5))
})

test('each call buys another one', async () => {
  const world = worldOfGateways()
  await order({}, world)
  expect(await order({ DeviceList: ['mna-a2'] }, world)).toContain('"ResourceId":"pkg-bought-2"')
})

describe('how it may be said', () => {
  test.each<[string, Input]>([
    ['a device by its name', { DeviceList: ['mna-a.example.com'] }],
    ['outside the mainland', { PackageRegion: 1 }],
    ['flags that are off', { FlowTruncFlag: false, AutoVoucher: false }],
    ['null is absent', { FlowTruncFlag: null, VoucherIds: null }],
    ['no vouchers', { VoucherIds: [] }],
    ['vouchers that are ignored', { AutoVoucher: true, VoucherIds: ['v-1'] }],
  ])('%s', async (_title, input) => {
    expect(await order(input, worldOfGateways())).toBe(DONE)
  })

  test.each(['POST', 'GET'])(
    'as flat text, %s: lists with indexes, True of Python',
    async (method) => {
      const world = worldOfGateways()
      const call = v1(
        {
          Action: ACTION,
          PackageType: 'DEVICE_2_FLOW_50G',
          'DeviceList.1': 'mna-a2',
          'DeviceList.0': 'mna-a',
          AutoRenewFlag: 'False',
          AutoVoucher: 'True',
          PackageRegion: '0',
        },
        method,
      )
      expect(await send(call, world)).toBe(DONE)
      expect(world.orders).toMatchObject([{ resources: ['mna-a', 'mna-a2'] }])
    },
  )
})

test('each account buys for itself, a sub-account not at all: its parent pays', async () => {
  const world = worldOfGateways()
  expect(await order({}, world, { key: ['pk-sub', 'sk-sub'] })).toContain('UnauthorizedOperation')
  await order({ DeviceList: ['mna-b'] }, world, { key: ['pk-b', 'sk-b'] })
  expect(world.orders).toMatchObject([
    { account: 'acc-b', actor: 'account acc-b', resources: ['mna-b'] },
  ])
})

describe('what is refused, and buys nothing', () => {
  const cases: readonly [string, Input, string][] = [
    [
      'a package that there is not',
      { PackageType: 'DEVICE_9_FLOW_1T' },
      'InvalidParameterValue: The value `DEVICE_9_FLOW_1T` specified in the parameter `PackageType` is not valid',
    ],
    [
      'no package',
      { PackageType: null },
      'MissingParameter: The request is missing a required parameter `PackageType`.',
    ],
    [
      'no device',
      { DeviceList: [] },
      'MissingParameter: The request is missing a required parameter `DeviceList`.',
    ],
    [
      'no word about renewing',
      { AutoRenewFlag: null },
      'MissingParameter: The request is missing a required parameter `AutoRenewFlag`.',
    ],
    [
      'no region',
      { PackageRegion: null },
      'MissingParameter: The request is missing a required parameter `PackageRegion`.',
    ],
    [
      'a region that is none',
      { PackageRegion: 2 },
      'InvalidParameterValue: The value `2` specified in the parameter `PackageRegion` is not valid',
    ],
    [
      'a flag in words',
      { AutoRenewFlag: 'false' },
      'InvalidParameter: The value type of parameter `AutoRenewFlag` is not valid. The parameter type should be `boolean`.',
    ],
    [
      'a device that is no list',
      { DeviceList: 'mna-a' },
      'InvalidParameter: The value type of parameter `DeviceList` is not valid. The parameter type should be `array of string`.',
    ],
    [
      'a device that is a number',
      { DeviceList: [7] },
      'InvalidParameter: The value type of parameter `DeviceList.0` is not valid. The parameter type should be `string`.',
    ],
    [
      'a list spelled as text inside of JSON',
      { 'DeviceList.0': 'mna-a' },
      'UnknownParameter: The parameter `DeviceList.0` is not recognized.',
    ],
    [
      'an unknown parameter',
      { Coupon: 'x' },
      'UnknownParameter: The parameter `Coupon` is not recognized.',
    ],
    [
      'more devices than it is for',
      { DeviceList: ['mna-a', 'mna-a2'] },
      'LimitExceeded: DEVICE_1_FLOW_20G pays for at most 1 resource, not 2.',
    ],
    [
      'one device twice',
      { PackageType: 'DEVICE_2_FLOW_50G', DeviceList: ['mna-a', 'mna-a.example.com'] },
      'InvalidParameterValue: The value `["mna-a","mna-a.example.com"]` specified in the parameter `DeviceList` is not valid',
    ],
    [
      'an unknown device',
      { DeviceList: ['mna-x'] },
      'OperationDenied.DeviceNotFound: There is no mna resource mna-x.',
    ],
    [
      'another account’s device',
      { DeviceList: ['mna-b'] },
      'OperationDenied.DeviceNotFound: There is no mna resource mna-b.',
    ],
    [
      'a device that is gone',
      { DeviceList: ['mna-gone'] },
      'OperationDenied.DeviceNotFound: There is no mna resource mna-gone.',
    ],
    [
      'a domain',
      { DeviceList: ['ucdn-a'] },
      'OperationDenied.DeviceNotFound: There is no mna resource ucdn-a.',
    ],
    [
      'both flags',
      { AutoRenewFlag: true, FlowTruncFlag: true },
      'OperationDenied: AutoRenewFlag and FlowTruncFlag cannot both be true.',
    ],
    [
      'renewing',
      { AutoRenewFlag: true },
      'OperationDenied: Packages are not renewed by themselves; send AutoRenewFlag false and order again at the end.',
    ],
    [
      'cutting off',
      { FlowTruncFlag: true },
      'OperationDenied: Devices are not cut off when a package is used up; send FlowTruncFlag false.',
    ],
    [
      'a voucher',
      { VoucherIds: ['v-1'] },
      'OperationDenied: There are no vouchers; leave VoucherIds out.',
    ],
  ]
  test.each(cases)('%s', async (_title, input, expected) => {
    const world = worldOfGateways()
    const { Response } = JSON.parse(await order(input, world)) as {
      Response: { Error: { Code: string; Message: string } }
    }
    expect(`${Response.Error.Code}: ${Response.Error.Message}`).toBe(expected)
    expect(world.orders).toEqual([])
  })

  test('as flat text, a flag in strange words and a list without indexes', async () => {
    const flat = {
      Action: ACTION,
      PackageType: 'DEVICE_1_FLOW_20G',
      'DeviceList.0': 'mna-a',
      AutoRenewFlag: 'false',
      PackageRegion: '0',
    }
    expect(await send(v1({ ...flat, AutoRenewFlag: 'no' }), worldOfGateways())).toContain(
      'InvalidParameter"',
    )
    const { 'DeviceList.0': _, ...bare } = flat
    expect(await send(v1({ ...bare, DeviceList: 'mna-a' }), worldOfGateways())).toContain(
      'should be `array of string`',
    )
    expect(await send(v1({ ...flat, 'PackageType.0': 'x' }), worldOfGateways())).toContain(
      'UnknownParameter',
    )
  })
})
