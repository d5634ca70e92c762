import { createReadStream } from 'node:fs'
import { createLogSink } from '../../src/ingest/log-sink.ts'
import { ingestFiles } from '../../src/sources/access-log/ingest-file.ts'
import { touchMemory } from '../support/memory.ts'
import { startStopwatch } from '../support/stopwatch.ts'
import { NOW_MS, openWeir, registerDomains } from '../support/weir.ts'
import { DOMAIN } from './generate.ts'
import { WEIR } from './scripts.ts'

await WEIR.act(async ({ directory, log }) => {
  const core = await openWeir(directory)
  const { accountId } = await registerDomains(core, [DOMAIN])
  const sink = createLogSink(core.ingest)
  touchMemory()
  const watch = startStopwatch()
  let durableSeconds = 0
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
          durableSeconds = watch.read().seconds
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
  const time = watch.read()
  if (total?.requests !== BigInt(log.lines) || total.bytes !== log.bytesOut) {
    throw new Error(`Weir counted ${total?.requests} requests of ${total?.bytes} bytes`)
  }
  if (summary.accepted !== log.lines) throw new Error(`${summary.accepted} lines were accepted`)
  const { checks, findings } = await core.audit()
  if (checks === 0 || findings.length > 0) throw new Error(`audit: ${JSON.stringify(findings[0])}`)
  await core.stop()
  return { ...time, durableSeconds }
})
