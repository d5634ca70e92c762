import { connect } from 'node:net'
import { median, quantile } from '../support/figure.ts'
import { LOAD, type LoadInput } from './scripts.ts'

const LENGTH = /\r\ncontent-length: (\d+)\r\n/i

// Plain sockets: an HTTP client would take more of the two cores than the server it measures.
await LOAD.act(async ({ port, requests, mark, connections, seconds }) => {
  const latenciesMs: number[] = []
  const startMs = performance.now()
  const endMs = startMs + seconds * 1000
  const runs = Array.from({ length: connections }, (_, index) =>
    runConnection({ port, requests, mark }, index, endMs, latenciesMs),
  )
  await Promise.all(runs)
  const elapsedSeconds = (performance.now() - startMs) / 1000
  return {
    requestsPerSecond: latenciesMs.length / elapsedSeconds,
    latencyMsP50: median(latenciesMs),
    latencyMsP99: quantile(latenciesMs, 0.99),
  }
})

/** One request after the other on a connection that is kept, until the time is over. */
function runConnection(
  { port, requests, mark }: Pick<LoadInput, 'port' | 'requests' | 'mark'>,
  first: number,
  endMs: number,
  latenciesMs: number[],
): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    socket.setNoDelay(true)
    let next = first
    let sentMs = 0
    let text = ''
    const send = (): void => {
      sentMs = performance.now()
      if (sentMs >= endMs) {
        socket.destroy()
        resolve()
        return
      }
      socket.write(requests[next % requests.length] ?? '')
      next += 1
    }
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1')
      const headEnd = text.indexOf('\r\n\r\n')
      if (headEnd === -1) return
      const length = Number(LENGTH.exec(text)?.[1] ?? Number.NaN)
      if (text.length < headEnd + 4 + length) return
      if (!text.startsWith('HTTP/1.1 200') || !text.includes(mark)) {
        reject(new Error(`unexpected answer: ${text.slice(0, 500)}`))
        return
      }
      text = ''
      latenciesMs.push(performance.now() - sentMs)
      send()
    })
    socket.on('error', reject)
    socket.on('connect', send)
  })
}
