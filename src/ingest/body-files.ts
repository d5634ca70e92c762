import { open, readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'

/** Files kept to be written again, 8 MiB each at most. */
const SPARES_MAX = 16

/** Files of their own for large bodies, in the journal's directory. */
export interface BodyFiles {
  /** Takes up the directory; removes what no frame refers to. */
  open(used: ReadonlySet<string>): Promise<void>
  /** Writes and syncs a body; the caller syncs the directory. Returns the file's name. */
  write(seq: number, body: Buffer): Promise<string>
  /** Gives up files that nobody reads any more. */
  release(names: readonly string[]): Promise<void>
  /** Removes the spare files, where room is short. */
  dropSpares(): Promise<void>
}

/**
 * Keeps the files of large bodies.
 *
 * A released file is written again under another name: its blocks and its pages in memory are there
 * already, which makes the next write several times cheaper. Nothing refers to a file before it is
 * synced, so a crash in between leaves a file that the next start removes.
 */
export function createBodyFiles(directory: string): BodyFiles {
  const spares: string[] = []
  let spareCount = 0
  const at = (name: string): string => join(directory, name)

  async function takeSpare(path: string): Promise<boolean> {
    const spare = spares.pop()
    if (spare === undefined) return false
    try {
      await rename(at(spare), path)
      return true
    } catch {
      return false
    }
  }

  async function releaseOne(name: string): Promise<void> {
    if (spares.length >= SPARES_MAX) {
      await rm(at(name), { force: true })
      return
    }
    spareCount += 1
    const spare = `${spareCount}.spare`
    await rename(at(name), at(spare))
    spares.push(spare)
  }

  return {
    async open(used) {
      // Bodies whose append or removal a crash cut short, and joined lines.
      for (const name of await readdir(directory)) {
        const isOurs = /\.(?:body|lines|spare)$/.test(name)
        if (isOurs && !used.has(name)) await rm(at(name), { force: true })
      }
    },
    async write(seq, body) {
      const name = `${seq}.body`
      const isSpare = await takeSpare(at(name))
      const file = await open(at(name), isSpare ? 'r+' : 'w')
      try {
        await file.writeFile(body)
        if (isSpare) await file.truncate(body.length)
        await file.datasync()
        return name
      } catch (error) {
        await rm(at(name), { force: true })
        throw error
      } finally {
        await file.close()
      }
    },
    release: async (names) => {
      await Promise.all(names.map(releaseOne))
    },
    async dropSpares() {
      await Promise.all(spares.splice(0).map((name) => rm(at(name), { force: true })))
    },
  }
}
