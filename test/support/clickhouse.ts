import { spawn, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** A running ClickHouse HTTP front. */
export interface ClickHouseFront {
  /** With user and password. */
  readonly url: string
  readonly port: number
  readonly process: ChildProcess
  /**
   * Makes requests fail from now on: the next ones by dropped connections, then by error texts;
   * statements that contain a text by its rule. Tells what still runs without a connection.
   */
  faults(faults: {
    drop?: number
    fail?: readonly string[]
    rules?: readonly FaultRule[]
  }): Promise<{ readonly running: number }>
  stop(): Promise<void>
}

/** What happens to the next `count` statements that contain a text. */
export interface FaultRule {
  readonly match: string
  /** `lose` executes, then drops the connection; `linger` drops it, goes on; or an error text. */
  readonly mode: 'drop' | 'lose' | 'linger' | `Code: ${string}`
  /** Default 1. */
  readonly count?: number
  /** So many are let through before; default 0. */
  readonly after?: number
}

export const FRONT_USER = 'weir'
export const FRONT_PASSWORD = 'plainly-fake-password'

/** Starts the embedded engine behind HTTP in a process of its own, on a free port. */
export async function startClickHouse(directory: string): Promise<ClickHouseFront> {
  const script = fileURLToPath(new URL('clickhouse-front.mjs', import.meta.url))
  const child = spawn(process.execPath, [script, directory, FRONT_USER, FRONT_PASSWORD], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const port = await new Promise<number>((resolve, reject) => {
    child.stdout.once('data', (text: Buffer) => resolve(Number(text.toString())))
    child.once('exit', (code) => reject(new Error(`the front ended with ${code}`)))
  })
  return {
    url: `http://${FRONT_USER}:${FRONT_PASSWORD}@127.0.0.1:${port}/default`,
    port,
    process: child,
    async faults(faults) {
      const answer = await fetch(`http://127.0.0.1:${port}/faults`, {
        method: 'POST',
        body: JSON.stringify(faults),
      })
      return (await answer.json()) as { running: number }
    },
    async stop() {
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGTERM')
      await ended
    },
  }
}
