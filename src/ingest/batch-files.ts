import { open, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Batch, Frame } from './batch.ts'

/** A file of lines, and the position of its first line within the batch. */
export interface BatchFile {
  readonly path: string
  readonly firstPosition: number
}

/** A batch's lines as files that the engine can read. */
export interface BatchFiles {
  readonly files: readonly BatchFile[]
  /** Removes those that were made for the batch alone. */
  remove(): Promise<void>
}

/**
 * Lays a batch's frames out as files, in order: large frames as they are, each run of small ones
 * joined in a file of its own beside them.
 */
export async function layOutFiles(batch: Batch, directory: string): Promise<BatchFiles> {
  const files: BatchFile[] = []
  const joined: string[] = []
  const remove = async (): Promise<void> => {
    await Promise.all(joined.map((path) => rm(path, { force: true })))
  }
  let run: Frame[] = []
  let position = 0
  const finishRun = async (): Promise<void> => {
    if (run.length === 0) return
    const path = join(directory, `${batch.id}-${joined.length}.lines`)
    joined.push(path)
    await joinFrames(run, path)
    const lines = run.reduce((sum, frame) => sum + lineNumbersOf(frame), 0)
    files.push({ path, firstPosition: position - lines })
    run = []
  }
  try {
    for (const frame of batch.frames) {
      if (frame.body.length > 0 && !frame.body.path.endsWith('.body')) run.push(frame)
      else {
        await finishRun()
        if (frame.body.length > 0) files.push({ path: frame.body.path, firstPosition: position })
      }
      position += lineNumbersOf(frame)
    }
    await finishRun()
  } catch (error) {
    await remove()
    throw error
  }
  return { files, remove }
}

/** Positions that a frame takes: empty lines have one, too. */
function lineNumbersOf({ lines, blankLines = 0 }: Frame): number {
  return lines + blankLines
}

async function joinFrames(frames: readonly Frame[], path: string): Promise<void> {
  const target = await open(path, 'w')
  try {
    for (const frame of frames) await target.writeFile(await readBody(frame))
  } finally {
    await target.close()
  }
}

async function readBody(frame: Frame): Promise<Buffer> {
  const file = await open(frame.body.path, 'r')
  try {
    const body = Buffer.allocUnsafe(frame.body.length)
    await file.read(body, 0, body.length, frame.body.offset)
    return body
  } finally {
    await file.close()
  }
}
