import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { STEPS, type Step } from '../../src/ingest/steps.ts'
import {
  buildCrashServer,
  startCrashChild,
  type CrashChild,
  type KillPoint,
} from '../support/crash-child.ts'
import {
  BrokenError,
  createJobs,
  createRandom,
  LATE_ADDRESS,
  type Job,
} from '../support/crash-load.ts'
import { CRASH_ACCOUNT, REGISTERED_AT } from '../support/crash-world.ts'

/** Rounds under load; each ends with SIGKILL. */
const ROUNDS = 50
const REPLAY_STEPS: readonly Step[] = [
  'load.usage.after',
  'load.rejected.after',
  'load.inserted.after',
  'checkpoint.before',
  'retire.before',
]
const SENDERS = 4
const ROUND_MS_MAX = 2500
const SEED = 20261120

interface Sums {
  readonly source: string
  readonly resource: string
  readonly n: string
  readonly ids: string
  readonly bytes: string
}

interface Report {
  readonly eip: readonly Sums[]
  readonly cdn: readonly Sums[]
  readonly totals: readonly {
    source: string
    lines: number
    accepted: number
    duplicate: number
    rejected: number
  }[]
  readonly audit: { checks: number; findings: readonly object[] }
}

describe('kill -9 under load', () => {
  const random = createRandom(SEED)
  const jobs = createJobs(random)
  // Sent and not acked: repeated, exactly as they are, in the next round.
  const open: Job[] = []
  const acked = { ids: 0, keys: 0, logs: 0 }
  const killed: string[] = []
  let directory: string
  let script: string

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'weir-crash-'))
    script = await buildCrashServer()
  })

  afterAll(async () => {
    await rm(directory, { recursive: true, force: true })
  })

  const delay = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

  async function sendUntilDead(child: CrashChild, isDead: () => boolean): Promise<void> {
    while (!isDead()) {
      const job = open.shift() ?? jobs.next()
      let isAcked = false
      try {
        isAcked = await job.send(child)
      } catch (error) {
        // Anything else is an answer that must not be.
        if (!(error instanceof BrokenError)) throw error
      }
      if (isAcked) acked[job.kind] += 1
      else open.push(job)
      await delay(10)
    }
  }

  async function round(kill: KillPoint | null, lifeMs: number): Promise<void> {
    const child = await startCrashChild(script, directory, kill)

    if (child === undefined) {
      killed.push(`${kill?.step} (while starting)`)
      return
    }
    let dead = false
    const timer = setTimeout(() => child.process.kill('SIGKILL'), lifeMs)
    const ended = child.ended.then((signal) => {
      dead = true
      return signal
    })
    await Promise.all(Array.from({ length: SENDERS }, () => sendUntilDead(child, () => dead)))
    expect(await ended).toBe('SIGKILL')
    clearTimeout(timer)
  }

  async function settle(child: CrashChild): Promise<Report> {
    for (let tries = 0; tries < 1200; tries += 1) {
      const pending = await (await fetch(`${child.url}/pending`)).json()
      if (pending === 0) return (await (await fetch(`${child.url}/report`)).json()) as Report
      await delay(50)
    }
    throw new Error('The journal was not empty after a minute.')
  }

  async function inFreshChild<Result>(
    work: (child: CrashChild) => Promise<Result>,
  ): Promise<Result> {
    const child = await startCrashChild(script, directory, null)
    if (child === undefined) throw new Error('The server was killed, but nobody asked for that.')
    try {
      return await work(child)
    } finally {
      child.process.kill('SIGKILL')
      await child.ended
    }
  }

  function checkTotals(report: Report, replayed: number): void {
    const { expected } = jobs
    const sum = (rows: readonly Sums[], source: string): bigint =>
      rows.filter((row) => row.source === source).reduce((all, row) => all + BigInt(row.bytes), 0n)
    const total = (source: string) => report.totals.find((row) => row.source === source)
    expect(report.audit.checks).toBeGreaterThan(10)
    expect(report.audit.findings).toEqual([])
    // Every id exactly once, with its own bytes.
    const [ids] = report.eip.filter((row) => row.source === 'ids')
    expect(Number(ids?.n)).toBe(expected.ids.size)
    expect(Number(ids?.ids)).toBe(expected.ids.size)
    expect(sum(report.eip, 'ids')).toBe([...expected.ids.values()].reduce((all, n) => all + n, 0n))
    expect(total('ids')).toMatchObject({ accepted: expected.ids.size, rejected: 0 })
    // Every request with a key, and every piece of a log, exactly once.
    expect(total('keys')).toMatchObject({
      lines: expected.keyLines,
      accepted: expected.keyLines - expected.keyRejected + replayed,
      duplicate: 0,
      rejected: expected.keyRejected - replayed,
    })
    expect(total('logs')).toMatchObject({
      lines: expected.logLines,
      accepted: expected.logLines - expected.logRejected,
      duplicate: 0,
      rejected: expected.logRejected,
    })
    expect(sum(report.cdn, 'logs')).toBe(expected.logBytes)
  }

  test(`loses and doubles nothing in ${ROUNDS} rounds, at every step and at any moment`, async () => {
    for (let index = 0; index < ROUNDS; index += 1) {
      // Each step twice, early and later; the rest at any moment.
      const step = index < STEPS.length * 2 ? STEPS[index % STEPS.length] : undefined
      const count = index < STEPS.length ? 1 : 2 + Math.floor(random() * 3)
      const lifeMs = step === undefined ? 100 + random() * 700 : ROUND_MS_MAX
      await round(step === undefined ? null : { step, count }, lifeMs)
    }
    await inFreshChild(async (child) => {
      for (const job of open.splice(0)) expect(await job.send(child)).toBe(true)
      checkTotals(await settle(child), 0)
    })
    expect(Math.min(...Object.values(acked))).toBeGreaterThan(ROUNDS)
  }, 400_000)

  test('rejected lines that a registration explains are taken in once, killed at any step', async () => {
    const post = ({ url, tokens }: CrashChild, path: string, body: object): Promise<Response> =>
      fetch(`${url}/admin/v1${path}`, {
        method: 'POST',
        body: JSON.stringify(body),
        headers: {
          authorization: `Bearer ${tokens.admin}`,
          'content-type': 'application/json',
        },
      })
    const replayed = { source: 'keys', detail: LATE_ADDRESS }
    const late = { meter: 'eip', name: LATE_ADDRESS, account: CRASH_ACCOUNT }
    await inFreshChild(async (child) => {
      const made = await post(child, '/resources', { ...late, createdAt: REGISTERED_AT })
      expect(made.status).toBe(201)
    })
    for (const step of REPLAY_STEPS) {
      const child = await startCrashChild(script, directory, { step, count: 1 })
      if (child === undefined) continue
      const replay = post(child, '/rejected/replay', replayed).catch((error: unknown) => error)
      await Promise.race([replay, child.ended])
      child.process.kill('SIGKILL')
      await child.ended
    }
    await inFreshChild(async (child) => {
      expect((await post(child, '/rejected/replay', replayed)).status).toBe(200)
      const report = await settle(child)
      checkTotals(report, jobs.expected.keyRejected)
      const keys = report.eip.filter((row) => row.source === 'keys')
      expect(keys.reduce((all, row) => all + BigInt(row.bytes), 0n)).toBe(jobs.expected.keyBytes)
    })
  }, 120_000)
})
