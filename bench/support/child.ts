import { fork, type ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

type Message =
  | { readonly kind: 'input'; readonly input: unknown }
  | { readonly kind: 'stop' }
  | { readonly kind: 'ready'; readonly value: unknown }
  | { readonly kind: 'done'; readonly value: unknown; readonly residentBytes: number }
  | { readonly kind: 'failed'; readonly text: string }

/** What a child process found out, and the most memory it ever held. */
export interface ChildResult<Output> {
  readonly output: Output
  readonly residentBytes: number
}

/** A child process at work. */
export interface Child<Ready, Output> {
  /** Resolves when the child says that it is ready. */
  readonly ready: Promise<Ready>
  readonly result: Promise<ChildResult<Output>>
  /** Asks the child to finish and waits for its result. */
  stop(): Promise<ChildResult<Output>>
}

// Sessions of the embedded engine block threads of the pool, and Node reads its size when it
// starts.
const THREADS = { UV_THREADPOOL_SIZE: '16' }

/**
 * Runs a compiled script of this folder in a process of its own.
 *
 * Errors: `result` rejects when the script throws or its process ends early.
 */
export function startChild<Input, Ready, Output>(
  script: URL,
  input: Input,
  nodeFlags: readonly string[] = [],
): Child<Ready, Output> {
  const child = fork(fileURLToPath(script), [], {
    env: { ...process.env, ...THREADS },
    execArgv: [...nodeFlags, ...(process.env['BENCH_NODE_FLAGS']?.split(' ') ?? [])],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    serialization: 'advanced',
  })
  let isReady: (value: Ready) => void = () => undefined
  const ready = new Promise<Ready>((resolve) => {
    isReady = resolve
  })
  const result = resultOf<Ready, Output>(child, script, isReady)
  child.send({ kind: 'input', input } satisfies Message)
  return {
    // A child that fails before it is ready must not be waited for.
    ready: Promise.race([ready, result.then(() => ready)]),
    result,
    async stop() {
      if (child.connected) child.send({ kind: 'stop' } satisfies Message)
      return await result
    },
  }
}

function resultOf<Ready, Output>(
  child: ChildProcess,
  script: URL,
  isReady: (value: Ready) => void,
): Promise<ChildResult<Output>> {
  const result = new Promise<ChildResult<Output>>((resolve, reject) => {
    child.on('message', (message: Message) => {
      if (message.kind === 'ready') isReady(message.value as Ready)
      if (message.kind === 'failed') reject(new Error(message.text))
      if (message.kind === 'done') {
        const { value, residentBytes } = message
        resolve({ output: value as Output, residentBytes })
      }
    })
    child.once('exit', (code, signal) => {
      reject(new Error(`${fileURLToPath(script)} ended early (${signal ?? code})`))
    })
  })
  result.catch(() => child.kill('SIGKILL'))
  return result
}

/** Runs a script to its end. */
export function runChild<Input, Output>(script: URL, input: Input): Promise<ChildResult<Output>> {
  return startChild<Input, never, Output>(script, input).result
}

/** What a script may tell and ask its parent. */
export interface Parent<Ready> {
  ready(value: Ready): void
  /** Resolves when the parent asks to stop. */
  readonly stopped: Promise<void>
}

/** The main of a script that a benchmark starts: takes the input, answers the output, ends. */
export async function actAsChild<Input, Ready, Output>(
  work: (input: Input, parent: Parent<Ready>) => Promise<Output>,
): Promise<void> {
  let isStopped: () => void = () => undefined
  const stopped = new Promise<void>((resolve) => {
    isStopped = resolve
  })
  const input = await new Promise<Input>((resolve) => {
    process.on('message', (message: Message) => {
      if (message.kind === 'input') resolve(message.input as Input)
      if (message.kind === 'stop') isStopped()
    })
  })
  // Without its parent nobody would ever stop it.
  process.on('disconnect', () => process.exit(1))
  const last = await work(input, {
    ready: (value) => void send({ kind: 'ready', value }),
    stopped,
  }).then(
    (value): Message => ({ kind: 'done', value, residentBytes: peakResidentBytes() }),
    (error: unknown): Message => ({
      kind: 'failed',
      text: error instanceof Error ? (error.stack ?? error.message) : String(error),
    }),
  )
  await send(last)
  process.exit(last.kind === 'done' ? 0 : 1)
}

function send(message: Message): Promise<void> {
  return new Promise((resolve) => {
    process.send?.(message, () => resolve())
  })
}

/** The most memory this process ever held at once. */
export function peakResidentBytes(): number {
  const status = readFileSync('/proc/self/status', 'utf8')
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? Number.NaN) * 1024
}
