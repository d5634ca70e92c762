import type { MeterName } from './meter.ts'
import { ACCESS_REGIONS, AREAS, BILLING_REGIONS, ISPS, PROVINCES } from './places.ts'

/** Largest quantity one record may report: 2^50, so that no sum of a slot can leave 64 bits. */
export const QUANTITY_MAX = 2 ** 50

/** Longest text a record may carry in one field, in UTF-16 units. */
export const TEXT_LENGTH_MAX = 256

/** One field of a usage record sent over HTTP. */
export interface RecordField {
  readonly name: string
  /**
   * `quantity`: an integer 0…2^50; `time`: ISO 8601 with offset, or epoch seconds or milliseconds.
   */
  readonly type: 'text' | 'time' | 'quantity' | 'choice'
  readonly required: boolean
  /** Accepted values of a `choice`; numbers may be sent as numbers or text. */
  readonly choices?: readonly string[]
  /** Another field, and which of its choices follows from each choice of this one. */
  readonly implies?: { readonly field: string; readonly choiceOf: Readonly<Record<string, string>> }
  readonly doc: string
}

/** The billing area of each billing region. */
const AREA_OF_REGION = Object.fromEntries(
  BILLING_REGIONS.map((region) => [region, region === 'cn' ? 'cn' : 'abroad']),
)

function field(
  name: string,
  type: RecordField['type'],
  doc: string,
  options: Partial<Pick<RecordField, 'required' | 'choices' | 'implies'>> = {},
): RecordField {
  return { name, type, required: false, doc, ...options }
}

const COMMON: readonly RecordField[] = [
  field('id', 'text', 'Unique per source; sending it again changes nothing.'),
  field('time', 'time', 'When it happened; counts for the minute that contains it.', {
    required: true,
  }),
  field('resource', 'text', 'Id or name of the domain, elastic IP or device.', { required: true }),
]

/** The fields of one record, per meter, in the order of the documentation. */
export const RECORD_FIELDS: Readonly<Record<MeterName, readonly RecordField[]>> = {
  cdn: [
    ...COMMON,
    field('bytesOut', 'quantity', 'Bytes sent to clients.', { required: true }),
    field('bytesIn', 'quantity', 'Bytes received from clients; default 0.'),
    field('requests', 'quantity', 'Requests answered; default 1.'),
    field('hitBytes', 'quantity', 'Bytes sent from cache; default 0.'),
    field('hitRequests', 'quantity', 'Requests answered from cache; default 0.'),
    field('originBytes', 'quantity', 'Bytes fetched from the origin; default 0.'),
    field('originRequests', 'quantity', 'Requests to the origin; default 0.'),
    field('client', 'text', 'Client address; gives billing region, area, province and carrier.'),
    field('area', 'choice', 'Billing area, when no client is given.', { choices: AREAS }),
    field(
      'billingRegion',
      'choice',
      'Billing region, when no client is given; default: the area.',
      {
        choices: BILLING_REGIONS,
        implies: { field: 'area', choiceOf: AREA_OF_REGION },
      },
    ),
    field('province', 'choice', 'Province, when no client is given.', { choices: PROVINCES }),
    field('isp', 'choice', 'Carrier, when no client is given.', { choices: ISPS }),
    field('protocol', 'choice', 'Protocol towards the client.', {
      choices: ['http', 'https', 'websocket', 'quic'],
    }),
    field('status', 'quantity', 'HTTP status, at most 65535.'),
    field('cache', 'text', 'Cache result, such as HIT or MISS.'),
  ],
  eip: [
    ...COMMON,
    field('direction', 'choice', 'out: to the internet; in: from it.', {
      required: true,
      choices: ['out', 'in'],
    }),
    field('bytes', 'quantity', 'Bytes moved.', { required: true }),
    field('packets', 'quantity', 'Packets moved; default 0.'),
  ],
  mna: [
    ...COMMON,
    field('direction', 'choice', 'up: from the device; down: to it.', {
      required: true,
      choices: ['up', 'down'],
    }),
    field('accessRegion', 'choice', 'Where the device entered the network.', {
      required: true,
      choices: ACCESS_REGIONS,
    }),
    field('gatewayType', 'choice', '0 public cloud, 1 private; default: as registered.', {
      choices: ['0', '1'],
    }),
    field('link', 'text', 'Carrier link of the device.'),
    field('bytes', 'quantity', 'Bytes moved.', { required: true }),
  ],
}
