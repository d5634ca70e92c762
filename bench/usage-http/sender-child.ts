import { readFile } from 'node:fs/promises'
import { Agent, request } from 'node:http'
import { SENDER } from './scripts.ts'

await SENDER.act(async ({ url, token, usage, connections }) => {
  const content = await readFile(usage.path)
  const bodies = usage.bodyEnds.map((end, index) =>
    content.subarray(usage.bodyEnds[index - 1] ?? 0, end),
  )
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  let next = 0
  let refusals = 0
  let lastBatch = 0
  async function sendAll(): Promise<void> {
    for (;;) {
      const body = bodies[next]
      next += 1
      if (body === undefined) return
      lastBatch = Math.max(lastBatch, await sendOne(body))
    }
  }
  async function sendOne(body: Buffer): Promise<number> {
    for (;;) {
      const answer = await call('POST', '/v1/usage/cdn', body)
      if (answer.status === 202) return Number((answer.json as { batch: string }).batch)
      if (answer.status !== 429 && answer.status !== 503) {
        throw new Error(`answered ${answer.status}: ${JSON.stringify(answer.json)}`)
      }
      refusals += 1
      await new Promise((resolve) => setTimeout(resolve, answer.retryAfterSeconds * 1000))
    }
  }
  function call(
    method: string,
    path: string,
    body?: Buffer,
  ): Promise<{ status: number; retryAfterSeconds: number; json: unknown }> {
    return new Promise((resolve, reject) => {
      const sent = request(
        new URL(path, url),
        {
          method,
          agent,
          headers: {
            authorization: `Bearer ${token}`,
            ...(body && { 'content-type': 'application/x-ndjson', 'content-length': body.length }),
          },
        },
        (answer) => {
          const chunks: Buffer[] = []
          answer.on('data', (chunk: Buffer) => chunks.push(chunk))
          answer.on('error', reject)
          answer.on('end', () =>
            resolve({
              status: answer.statusCode ?? 0,
              retryAfterSeconds: Number(answer.headers['retry-after'] ?? 1),
              json: JSON.parse(Buffer.concat(chunks).toString()),
            }),
          )
        },
      )
      sent.on('error', reject)
      sent.end(body)
    })
  }
  const startMs = performance.now()
  await Promise.all(Array.from({ length: connections }, sendAll))
  const ackedMs = performance.now()
  // Batches are loaded in the order of their numbers.
  for (;;) {
    const { json } = await call('GET', `/v1/batches/${lastBatch}`)
    if ((json as { state: string }).state === 'loaded') break
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  const loadedMs = performance.now()
  agent.destroy()
  return {
    ackedSeconds: (ackedMs - startMs) / 1000,
    loadedSeconds: (loadedMs - startMs) / 1000,
    refusals,
  }
})
