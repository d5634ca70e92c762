import { spawn, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** A running ClickHouse HTTP front. */
export interface ClickHouseFront {
  /** With user and password. */
  readonly url: string
  readonly port: number
  readonly process: ChildProcess
  /** Makes the next requests fail: dropped connections first, then these error texts. */
  faults(faults: { drop?: number; fail?: readonly string[] }): Promise<void>
  stop(): Promise<void>
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
      await fetch(`http://127.0.0.1:${port}/faults`, {
        method: 'POST',
        body: JSON.stringify(faults),
      })
    },
    async stop() {
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGTERM')
      await ended
    },
  }
}
