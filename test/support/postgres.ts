import { execFileSync, spawn, type ChildProcess } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chown, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Client } from 'pg'
import { freePort } from './free-port.ts'
import { findProgram } from './programs.ts'

const DEBIAN_FOLDER = '/usr/lib/postgresql'
const START_TRIES = 200
const START_WAIT_MS = 50

/** A database server of our own that keeps nothing. */
export interface ThrowAwayPostgres {
  /** Makes an empty database and returns its URL. */
  createDatabase(): Promise<string>
  stop(): Promise<void>
}

/** Folder of PostgreSQL's server programs, the newest release first; null when not installed. */
export async function findPostgres(): Promise<string | null> {
  const onPath = findProgram('initdb')
  if (onPath !== null && existsSync(join(dirname(onPath), 'postgres'))) return dirname(onPath)
  if (!existsSync(DEBIAN_FOLDER)) return null
  const releases = (await readdir(DEBIAN_FOLDER)).sort((a, b) => Number(b) - Number(a))
  const folders = releases.map((release) => join(DEBIAN_FOLDER, release, 'bin'))
  return folders.find((folder) => existsSync(join(folder, 'initdb'))) ?? null
}

/** Starts a server with a fresh cluster on a free loopback port. */
export async function startPostgres(programs: string): Promise<ThrowAwayPostgres> {
  const owner = serverOwner()
  const folder = await mkdtemp(join(tmpdir(), 'weir-postgres-'))
  if (owner !== null) await chown(folder, owner.uid, owner.gid)
  const data = join(folder, 'data')
  execFileSync(
    join(programs, 'initdb'),
    ['-D', data, '-U', 'weir', '-A', 'trust', '-E', 'UTF8', '--locale=C.UTF-8', '--no-sync'],
    { ...owner, cwd: folder, stdio: ['ignore', 'ignore', 'pipe'] },
  )
  const port = await freePort()
  const settings = ['listen_addresses=127.0.0.1', `unix_socket_directories=${folder}`, 'fsync=off']
  const server = spawn(
    join(programs, 'postgres'),
    ['-D', data, '-p', String(port), ...settings.flatMap((setting) => ['-c', setting])],
    { ...owner, cwd: folder, stdio: 'ignore' },
  )
  const address = `postgres://weir@127.0.0.1:${port}`
  await waitUntilUp(server, `${address}/postgres`)
  let count = 0
  return {
    createDatabase: async () => {
      count += 1
      await runOnce(`${address}/postgres`, `create database weir_${count}`)
      return `${address}/weir_${count}`
    },
    stop: async () => {
      const ended = new Promise((resolve) => server.once('exit', resolve))
      // Fast shutdown: ends open connections instead of waiting for them.
      server.kill('SIGINT')
      await ended
      await rm(folder, { recursive: true, force: true })
    },
  }
}

/** PostgreSQL refuses to run as root; its Debian package brings a user for it. */
function serverOwner(): { uid: number; gid: number } | null {
  if (process.getuid?.() !== 0) return null
  const read = (flag: string) =>
    Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }))
  return { uid: read('-u'), gid: read('-g') }
}

async function waitUntilUp(server: ChildProcess, url: string): Promise<void> {
  let reason: unknown
  for (let attempt = 0; attempt < START_TRIES && server.exitCode === null; attempt += 1) {
    try {
      await runOnce(url, 'select 1')
      return
    } catch (error) {
      reason = error
      await new Promise((resolve) => setTimeout(resolve, START_WAIT_MS))
    }
  }
  server.kill('SIGKILL')
  throw new Error('PostgreSQL did not start', { cause: reason })
}

async function runOnce(url: string, statement: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(statement)
  } finally {
    await client.end()
  }
}
