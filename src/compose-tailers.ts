import { resolve } from 'node:path'
import type { Component, Core, Telemetry } from './compose.ts'
import type { Config } from './config/config.ts'
import { createLogSink } from './ingest/log-sink.ts'
import { createRecentContent } from './sources/access-log/recent-content.ts'
import { createTailer } from './sources/access-log/tail.ts'

/** Builds a follower for every configured log source. Inert until started. */
export function composeTailers(
  config: Config,
  core: Pick<Core, 'clock' | 'ingest' | 'engine' | 'coverage'>,
  { log }: Pick<Telemetry, 'log'>,
): Component[] {
  const sink = createLogSink(core.ingest)
  const recent = createRecentContent()
  return config.sources.map(({ name, paths, format, domain, clientFrom, timeZone, pollInterval }) =>
    createTailer(
      {
        name,
        paths,
        spec: { format, domain: domain ?? null, clientFrom, timeZone: timeZone ?? null },
        pollIntervalMs: pollInterval,
        stateDirectory: resolve(config.data.directory, 'tail'),
      },
      {
        sink,
        clock: core.clock,
        log,
        giveWay: () => core.engine.giveWay(),
        report: core.coverage.reportOf(name),
        recent,
      },
    ),
  )
}
