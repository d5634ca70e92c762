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
 * A compiled script that runs in a process of its own, with what passes between it and its parent.
 */
export interface Script<Input, Ready, Output> {
  /**
   * Starts it.
   *
   * Errors: `result` rejects when the script throws or its process ends early.
   */
  start(input: Input): Child<Ready, Output>
  /** Starts it and waits for its end. */
  run(input: Input): Promise<ChildResult<Output>>
  /** The main of the script itself: takes the input, answers the output, ends the process. */
  act(work: (input: Input, parent: Parent<Ready>) => Promise<Output>): Promise<void>
}

/** Declares a script; it calls `act`, its parent `start` or `run`. */
export function script<Input, Ready, Output>(url: URL): Script<Input, Ready, Output> {
  const start = (input: Input): Child<Ready, Output> => startChild(fileURLToPath(url), input)
  return {
    start,
    run: (input) => start(input).result,
    act: (work) => act((input, parent) => work(input as Input, parent)),
  }
}

function startChild<Ready, Output>(path: string, input: unknown): Child<Ready, Output> {
  const child = fork(path, [], {
    env: { ...process.env, ...THREADS },
    execArgv: process.env['BENCH_NODE_FLAGS']?.split(' ') ?? [],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    serialization: 'advanced',
  })
  let isReady: (value: Ready) => void = () => undefined
  const ready = new Promise<Ready>((resolve) => {
    isReady = resolve
  })
  const result = resultOf<Output>(child, path, (value) => isReady(value as Ready))
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

function resultOf<Output>(
  child: ChildProcess,
  path: string,
  isReady: (value: unknown) => void,
): Promise<ChildResult<Output>> {
  const result = new Promise<ChildResult<Output>>((resolve, reject) => {
    child.on('message', (message: Message) => {
      if (message.kind === 'ready') isReady(message.value)
      if (message.kind === 'failed') reject(new Error(message.text))
      if (message.kind === 'done') {
        const { value, residentBytes } = message
        resolve({ output: value as Output, residentBytes })
      }
    })
    child.once('exit', (code, signal) => {
      reject(new Error(`${path} ended early (${signal ?? code})`))
    })
  })
  result.catch(() => child.kill('SIGKILL'))
  return result
}

/** What a script may tell and ask its parent. */
export interface Parent<Ready> {
  ready(value: Ready): void
  /** Resolves when the parent asks to stop. */
  readonly stopped: Promise<void>
}

async function act(
  work: (input: unknown, parent: Parent<unknown>) => Promise<unknown>,
): Promise<void> {
  let isStopped: () => void = () => undefined
  const stopped = new Promise<void>((resolve) => {
    isStopped = resolve
  })
  const input = await new Promise((resolve) => {
    process.on('message', (message: Message) => {
      if (message.kind === 'input') resolve(message.input)
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
