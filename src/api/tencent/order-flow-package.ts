import { AppError } from '../../core/errors.ts'
import { buyPackage } from '../operations/buy-package.ts'
import { tencentAction } from './action.ts'

/** The vendor's packages; size, devices and price are those of the offer of the same name. */
const PACKAGE_TYPES = [
  'DEVICE_1_FLOW_20G',
  'DEVICE_2_FLOW_50G',
  'DEVICE_3_FLOW_100G',
  'DEVICE_5_FLOW_500G',
] as const

/** Buys a package of gateway traffic for some devices. */
export const orderFlowPackage = tencentAction({
  name: 'OrderFlowPackage',
  summary:
    'Buys a package of traffic for the named devices, for one calendar month from now: the offer of this name of the account’s rule pack.',
  source: 'tencent.md §3.1, §3.5, §3.6',
  parameters: {
    PackageType: {
      type: 'String',
      required: true,
      choices: PACKAGE_TYPES,
      doc: 'How much, and for how many devices at most.',
    },
    DeviceList: {
      type: 'Array of String',
      required: true,
      doc: 'Ids of the devices that it pays for.',
    },
    AutoRenewFlag: {
      type: 'Boolean',
      required: true,
      doc: 'false: Weir renews no packages by itself.',
    },
    PackageRegion: {
      type: 'Integer',
      required: true,
      choices: [0, 1],
      doc: '0: in the Chinese mainland, 1: outside; the package pays wherever its devices are.',
    },
    FlowTruncFlag: {
      type: 'Boolean',
      required: false,
      doc: 'false: Weir cuts no device off when its package is used up.',
    },
    AutoVoucher: {
      type: 'Boolean',
      required: false,
      doc: 'Accepted; there are no vouchers to choose from.',
    },
    VoucherIds: {
      type: 'Array of String',
      required: false,
      doc: 'None: there are no vouchers. Ignored with AutoVoucher, as by the vendor.',
    },
  },
  fields: { offer: 'PackageType', resources: 'DeviceList' },
  answer: async (values, { caller, deps }) => {
    const { PackageType, DeviceList } = values
    refuseFlags(values)
    const purchase = { meter: 'mna', offer: PackageType, resources: DeviceList } as const
    const { id } = await buyPackage(caller, purchase, deps)
    return { ResourceId: id }
  },
})

/** A client that is told of a success must be able to rely on what it asked for. */
function refuseFlags(flags: {
  readonly AutoRenewFlag: boolean
  readonly FlowTruncFlag: boolean | undefined
  readonly AutoVoucher: boolean | undefined
  readonly VoucherIds: readonly string[] | undefined
}): void {
  const deny = (field: string, message: string): AppError =>
    new AppError('operation_denied', message, { field })
  if (flags.AutoRenewFlag && flags.FlowTruncFlag === true) {
    throw deny('FlowTruncFlag', 'AutoRenewFlag and FlowTruncFlag cannot both be true.')
  }
  if (flags.AutoRenewFlag) {
    throw deny(
      'AutoRenewFlag',
      'Packages are not renewed by themselves; send AutoRenewFlag false and order again at the end.',
    )
  }
  if (flags.FlowTruncFlag === true) {
    throw deny(
      'FlowTruncFlag',
      'Devices are not cut off when a package is used up; send FlowTruncFlag false.',
    )
  }
  if (flags.VoucherIds !== undefined && flags.AutoVoucher !== true) {
    throw deny('VoucherIds', 'There are no vouchers; leave VoucherIds out.')
  }
}
