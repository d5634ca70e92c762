import { composeServer } from '../../src/compose-server.ts'
import { startStopwatch } from '../support/stopwatch.ts'
import { configIn, createTelemetry, NOW_MS, openWeir, registerDomains } from '../support/weir.ts'
import { DOMAINS } from './generate.ts'
import { SERVER } from './scripts.ts'

await SERVER.act(async ({ directory, usage }, parent) => {
  const core = await openWeir(directory)
  const { accountId } = await registerDomains(core, DOMAINS)
  const { token } = await core.catalog
    .as('bench')
    .createSource({ name: 'edge-7', meters: ['cdn'], account: accountId })
  const config = configIn(directory)
  const server = composeServer(
    { ...config, server: { ...config.server, port: 0 } },
    core,
    createTelemetry(),
  )
  await server.start()
  const watch = startStopwatch()
  parent.ready({ url: server.url(), token })
  await parent.stopped
  const time = watch.read()
  await server.stop()
  const [total] = await core.reader.query({
    meter: 'cdn',
    accountId,
    startMs: NOW_MS - 86_400_000,
    endMs: NOW_MS + 86_400_000,
    granularity: 'total',
    zone: 'Asia/Shanghai',
    filters: {},
    groupBy: [],
    measures: ['bytes', 'requests'],
    dense: true,
  })
  if (total?.requests !== BigInt(usage.records) || total.bytes !== usage.bytesOut) {
    throw new Error(`Weir counted ${total?.requests} records of ${total?.bytes} bytes`)
  }
  const { checks, findings } = await core.audit()
  if (checks === 0 || findings.length > 0) throw new Error(`audit: ${JSON.stringify(findings[0])}`)
  await core.stop()
  return time
})
