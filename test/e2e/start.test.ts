import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import {
  buildWeir,
  endChildren,
  readyServer,
  runProgram,
  runWeir,
  serveWeir,
  startProgram,
  type Json,
  type WeirServer,
} from '../support/built-weir.ts'
import { sendUsage } from '../support/contract-world.ts'
import { freePort } from '../support/free-port.ts'
import { needProgram, skipOrFail } from '../support/programs.ts'
import { callUcloud } from '../support/ucloud-signer.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const START_MS_MAX = 120_000

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weir-e2e-start-'))
  await buildWeir()
})

afterEach(endChildren)
afterAll(() => rm(folder, { recursive: true, force: true }))

/** Clones what is committed, with the packages that are installed here. */
async function clone(git: string): Promise<string> {
  const checkout = join(folder, 'clone')
  await runProgram(git, ['clone', '--quiet', '--depth', '1', `file://${ROOT}`, checkout])
  const packages = [join(ROOT, 'node_modules'), join(checkout, 'node_modules')]
  // Hard links: what npm does in the clone leaves the packages here alone.
  const linked = await startProgram('cp', ['-al', ...packages]).ended
  if (linked.code !== 0) {
    await rm(join(checkout, 'node_modules'), { recursive: true, force: true })
    await runProgram('cp', ['-a', ...packages])
  }
  return checkout
}

/** `npm start`, as a person types it. */
async function npmStart(checkout: string, port: number): Promise<WeirServer> {
  const args = ['start', '--', '--port', String(port)]
  const running = startProgram('npm', args, { cwd: checkout, isGroup: true })
  return await readyServer(running, join(checkout, 'data'), START_MS_MAX)
}

/** Presses Ctrl-C: every process of the terminal gets it. */
async function pressControlC(server: WeirServer): Promise<void> {
  process.kill(-(server.process.pid ?? 0), 'SIGINT')
  await server.ended
  // npm ends by the signal itself; the server let go of its data, as it does at the very end.
  expect(server.complained().match(/"signal":"SIGINT"/g)).toHaveLength(1)
  expect(existsSync(join(server.data, 'lock'))).toBe(false)
}

/** The printed commands that begin so, each on one line. */
function commandsOf(text: string, start: string): string[] {
  return text
    .replaceAll(/\\\n\s*/g, '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line.startsWith(start))
}

/** Whether an answer says that the call went well, in any of the dialects. */
function isFine(text: string): boolean {
  const answer = JSON.parse(text) as Json
  const response = answer['Response'] as Json | undefined
  if (response !== undefined) return response['Error'] === undefined
  if (answer['RetCode'] !== undefined) return answer['RetCode'] === 0
  return Array.isArray(answer['rows']) || answer['accepted'] === 1
}

async function runPrinted(lines: readonly string[], cwd: string): Promise<string[]> {
  const runs = lines.map((line) => startProgram('sh', ['-c', line], { cwd }).ended)
  const answers: string[] = []
  for (const [index, { code, out, err }] of (await Promise.all(runs)).entries()) {
    const line = lines[index] ?? ''
    expect({ line, code, err: code === 0 ? '' : err }).toEqual({ line, code: 0, err: '' })
    answers.push(out)
  }
  return answers
}

test('a fresh clone starts with two words, and everything that it prints works', async (context) => {
  const git = needProgram(context, 'git')
  needProgram(context, 'curl')
  if (!existsSync(join(ROOT, '.git'))) skipOrFail(context, 'this is no git checkout')
  const checkout = await clone(git)
  const port = await freePort()
  const first = await npmStart(checkout, port)
  const printed = first.printed()
  expect(printed).toContain('Making the example')
  const exports = commandsOf(printed, 'export WEIR_').join('; ')
  const key = {
    publicKey: /WEIR_KEY=(\S+)/.exec(printed)?.[1] ?? '',
    secret: /WEIR_SECRET=(\S+)/.exec(printed)?.[1] ?? '',
  }
  const question = { Action: 'GetUcdnTrafficV2' }
  const traffic = await callUcloud(first.url, key, question)
  expect(traffic).toMatchObject({ RetCode: 0, TrafficSet: [{ Areacode: 'cn' }, {}] })

  const curls = commandsOf(printed, 'curl ')
  expect(curls).toHaveLength(7)
  for (const answer of await runPrinted(curls, checkout)) {
    expect(answer).toSatisfy(isFine)
    // More than names and zeros.
    expect(answer).toMatch(/[:,][1-9]\d*|":0\.\d*[1-9]/)
  }
  const calls = commandsOf(printed, 'npx weir call ')
  expect(calls).toHaveLength(5)
  const [query = ''] = commandsOf(printed, 'npx weir query ')
  const commands = [...calls, query].map((line) => `${exports}; ${line}`)
  for (const answer of await runPrinted(commands, checkout)) expect(answer).toSatisfy(isFine)
  await pressControlC(first)

  const second = await npmStart(checkout, port)
  expect(second.printed()).not.toContain('Making the example')
  expect(second.printed()).toContain(`Its key pair is ${key.publicKey}.`)
  expect(second.printed()).not.toContain(key.secret)
  expect(await callUcloud(second.url, key, question)).toEqual(traffic)
  expect(await second.audit()).toEqual([])
  await pressControlC(second)
})

test('--empty starts with nothing, and the first steps that it prints work', async () => {
  const server = await serveWeir(join(folder, 'empty'), '--empty')
  expect(await server.json('account', 'list')).toMatchObject({ items: [] })
  expect(await server.json('source', 'list')).toMatchObject({ items: [] })
  const now = new Date(Date.now() - 3_600_000).toISOString().slice(0, 19)
  const log = join(folder, 'access.log')
  await writeFile(log, `1.2.3.4 - - [${commonTime(now)}] "GET / HTTP/1.1" 200 612 "-" "curl"\n`)
  const steps = commandsOf(server.printed(), 'npx weir ')
  expect(steps).toHaveLength(5)
  for (const step of steps) {
    const words = step.replace('access.log', log).split(' ').slice(2)
    const { code, err } = await server.weir(...words)
    expect({ step, code, err: code === 0 ? '' : err }).toEqual({ step, code: 0, err: '' })
  }
  const [account] = (await server.json<{ items: Json[] }>('account', 'list')).items
  const [row] = await server.query({
    account: account?.['id'],
    meter: 'cdn',
    start: Date.now() - 86_400_000,
    end: Date.now(),
    granularity: 'total',
  })
  expect(row).toMatchObject({ bytes: 612 })
  expect((await server.stop()).code).toBe(0)
})

/** `2026-11-21T08:00:00` as logs write it. */
function commonTime(iso: string): string {
  const month = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ')[
    Number(iso.slice(5, 7)) - 1
  ]
  return `${iso.slice(8, 10)}/${month}/${iso.slice(0, 4)}:${iso.slice(11)} +0000`
}

describe('a server that cannot start says why, and ends with an error', () => {
  const serve = (...args: string[]) => runWeir(['serve', '--empty', ...args])
  const fresh = (): string => join(folder, `data-${Math.floor(performance.now() * 1000)}`)

  test.each([
    ['a flag that does not exist', ['--prot', '1'], 2, /unknown option '--prot'[^]*--port/],
    ['a port that is none', ['--port', '99999'], 2, /A port is a number from 0 to 65535/],
    [
      'a configuration that is missing',
      ['--config', '/none.yaml'],
      1,
      /\/none\.yaml does not exist; name it with --config/,
    ],
  ])('%s', async (_title, args, code, says) => {
    const ended = await serve('--data', fresh(), ...args)
    expect(ended).toMatchObject({ code, signal: null })
    expect(ended.err).toMatch(says)
    expect(ended.err).not.toMatch(/^\s+at /m)
  })

  test('a key of the configuration that does not exist', async () => {
    const config = join(folder, 'wrong.yaml')
    await writeFile(config, 'server:\n  prot: 1\n')
    const { code, err } = await serve('--data', fresh(), '--config', config)
    expect(code).toBe(1)
    expect(err).toMatch(/wrong\.yaml\) is not usable[^]*prot/)
  })

  test('a port that is taken', async () => {
    const holder = createServer()
    await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve))
    const address = holder.address()
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0
    const { code, err } = await serve('--data', fresh(), '--port', String(port))
    await new Promise((resolve) => holder.close(resolve))
    expect(code).toBe(1)
    expect(err).toMatch(new RegExp(`weir: .*${port}.*(?:in use|taken)`))
    expect(err).not.toMatch(/^\s+at /m)
  })

  test('a data directory that another server holds', async () => {
    const server = await serveWeir(fresh(), '--empty')
    const { code, err } = await serve('--data', server.data, '--port', '0')
    expect(code).toBe(1)
    expect(err).toContain(`is in use by process ${server.process.pid} (weir serve)`)
    expect(await server.json('account', 'list')).toMatchObject({ items: [] })
  })

  test('a data directory that is a file', async () => {
    const path = fresh()
    await writeFile(path, '')
    const { code, err } = await serve('--data', path, '--port', '0')
    expect(code).toBe(1)
    expect(err).toContain(path)
    expect(err).not.toMatch(/^\s+at /m)
  })
})

const RECORDS = 50
const ADDRESS = '203.0.113.9'

/** Records with ids of their own; number n has n bytes. */
function recordsOf(request: number): object[] {
  return Array.from({ length: RECORDS }, (_, index) => {
    const number = request * RECORDS + index + 1
    const time = Math.floor(Date.now() / 1000)
    return { id: `n-${number}`, time, resource: ADDRESS, direction: 'out', bytes: number }
  })
}

/** Sends requests until the server is gone; every request, and whether it was acked. */
async function sendUntilGone(server: WeirServer, token: string): Promise<Map<object[], boolean>> {
  const sent = new Map<object[], boolean>()
  let isGone = false
  const sender = async (): Promise<void> => {
    while (!isGone) {
      const records = recordsOf(sent.size)
      sent.set(records, false)
      const url = `${server.url}/v1/usage/eip`
      const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
      const init = { method: 'POST', headers, body: JSON.stringify(records) }
      const status = await fetch(url, init).then(
        (response) => response.status,
        () => 0,
      )
      if (status === 202) sent.set(records, true)
      else isGone = true
    }
  }
  const senders = [sender(), sender(), sender(), sender()]
  await new Promise((resolve) => setTimeout(resolve, 700))
  const { code, err } = await server.stop()
  expect(code).toBe(0)
  // It waited for requests under way, not for connections without any.
  expect(err).not.toContain('cutting off')
  await Promise.all(senders)
  return sent
}

test('SIGTERM under load ends with code 0, and nothing that was acked is lost', async () => {
  const data = join(folder, 'stopped')
  const server = await serveWeir(data, '--empty')
  const { id } = await server.json<{ id: string }>('account', 'create', 'acme')
  const since = new Date(Date.now() - 3_600_000).toISOString()
  const owned = ['--meter', 'eip', '--account', id, '--created-at', since]
  await server.json('resource', 'create', ADDRESS, ...owned)
  const { token } = await server.json<{ token: string }>('source', 'create', 's', '--meters', 'eip')
  const sent = await sendUntilGone(server, token)
  const acked = [...sent].filter(([, isAcked]) => isAcked)
  expect(acked.length).toBeGreaterThan(10)

  const again = await serveWeir(data)
  const send = (records: object[]) => sendUsage(again.url, token, 'eip', records)
  // Whatever was acked is known, each record of it.
  const duplicate = await send(acked.flatMap(([records]) => records))
  expect(duplicate).toMatchObject({ accepted: 0, duplicate: acked.length * RECORDS })
  const rest = await send([...sent.keys()].flat())
  expect(rest).toMatchObject({ rejectedTotal: 0, lines: sent.size * RECORDS })
  const [row] = await again.query({
    account: id,
    meter: 'eip',
    start: Date.now() - 86_400_000,
    end: Date.now() + 60_000,
    granularity: 'total',
  })
  const count = sent.size * RECORDS
  expect(row).toMatchObject({ bytes: (count * (count + 1)) / 2 })
  expect(await again.audit()).toEqual([])
  expect((await again.stop()).code).toBe(0)
})
