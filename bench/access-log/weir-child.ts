import { createReadStream } from 'node:fs'
import { createLogSink } from '../../src/ingest/log-sink.ts'
import { ingestFiles } from '../../src/sources/access-log/ingest-file.ts'
import { actAsChild } from '../support/child.ts'
import { NOW_MS, openWeir, registerDomains } from '../support/weir.ts'
import { DOMAIN, type GeneratedLog } from './generate.ts'

export interface WeirInput {
  readonly directory: string
  readonly log: GeneratedLog
}

export interface WeirOutput {
  readonly seconds: number
  /** Until the last line was durable. */
  readonly durableSeconds: number
}

await actAsChild<WeirInput, never, WeirOutput>(async ({ directory, log }) => {
  const core = await openWeir(directory)
  const { accountId } = await registerDomains(core, [DOMAIN])
  const sink = createLogSink(core.ingest)
  const startMs = performance.now()
  let durableMs = startMs
  const summary = await ingestFiles(
    {
      source: 'bench',
      spec: { format: 'combined', domain: DOMAIN, clientFrom: 'remote_addr', timeZone: null },
      paths: [log.path],
    },
    {
      sink: {
        ...sink,
        async append(chunk) {
          const appended = await sink.append(chunk)
          durableMs = performance.now()
          return appended
        },
      },
      clock: core.clock,
      waitForRoom: () => new Promise((resolve) => setTimeout(resolve, 50)),
      onProgress: () => undefined,
      stdin: createReadStream('/dev/null'),
    },
  )
  const [total] = await core.reader.query({
    meter: 'cdn',
    accountId,
    startMs: NOW_MS - 2 * 86_400_000,
    endMs: NOW_MS + 86_400_000,
    granularity: 'total',
    zone: 'Asia/Shanghai',
    filters: {},
    groupBy: [],
    measures: ['bytes', 'requests'],
    dense: true,
  })
  const seconds = (performance.now() - startMs) / 1000
  if (total?.requests !== BigInt(log.lines) || total.bytes !== log.bytesOut) {
    throw new Error(`Weir counted ${total?.requests} requests of ${total?.bytes} bytes`)
  }
  if (summary.accepted !== log.lines) throw new Error(`${summary.accepted} lines were accepted`)
  const { checks, findings } = await core.audit()
  if (checks === 0 || findings.length > 0) throw new Error(`audit: ${JSON.stringify(findings[0])}`)
  await core.stop()
  return { seconds, durableSeconds: (durableMs - startMs) / 1000 }
})
