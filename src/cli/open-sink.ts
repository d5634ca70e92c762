import { openCore } from '../compose.ts'
import { holderOf, lockData } from '../config/data-lock.ts'
import { createLogSink } from '../ingest/log-sink.ts'
import { createLog } from '../telemetry/log.ts'
import { createMetrics } from '../telemetry/metrics.ts'
import type { CliContext } from './context.ts'
import type { OpenSink } from './ingest.ts'
import { createRemoteSink } from './remote-sink.ts'
import { addressOf, configOf, type AddressOptions } from './server-address.ts'
import { VERSION } from './version.ts'

/**
 * Opens the way in for files: the running server when there is one, else the stores themselves.
 *
 * Errors: `conflict` when another process than a server holds the data directory.
 */
export async function openSink(context: CliContext, options: AddressOptions): Promise<OpenSink> {
  const config = configOf(context, options)
  const asksServer =
    options.url !== undefined ||
    context.environment['WEIR_URL'] !== undefined ||
    holderOf(config.data.directory)?.task === 'serve'
  if (asksServer) {
    return { sink: createRemoteSink(addressOf(context, options)), close: async () => undefined }
  }
  const unlock = lockData(config.data.directory, 'ingest')
  try {
    const log = createLog({ level: 'warn' })
    const core = await openCore(config, { log, metrics: createMetrics({ version: VERSION }) })
    await core.loader.start()
    return {
      sink: createLogSink(core.ingest),
      async close() {
        await core.loader.stop()
        await core.close()
        unlock()
      },
    }
  } catch (error) {
    unlock()
    throw error
  }
}
