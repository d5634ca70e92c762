import { statfs } from 'node:fs/promises'
import { AppError } from '../core/errors.ts'

/** Room that appends leave beside a batch's joined lines: for its marks and its rows. */
export const FREE_BYTES_MIN = 64 << 20

/** Bytes written after which the disk's free space is looked at again. */
const LOOK_BYTES = 1 << 20

/** Keeps appends from filling a disk to the last byte. */
export interface DiskRoom {
  /** Errors: `overloaded` when writing this much would leave too little free. */
  take(bytes: number): Promise<void>
}

/** Watches the disk of a directory; `freeBytesMin` stay free for everything else. */
export function createDiskRoom(directory: string, freeBytesMin: number): DiskRoom {
  let room = 0
  let untilLook = 0
  let looking: Promise<void> | null = null
  async function look(): Promise<void> {
    try {
      const { bavail, bsize } = await statfs(directory)
      room = bavail * bsize - freeBytesMin
      untilLook = LOOK_BYTES
    } finally {
      looking = null
    }
  }
  return {
    async take(bytes) {
      if (untilLook < bytes || room < bytes) await (looking ??= look())
      if (room < bytes) {
        throw new AppError(
          'overloaded',
          `The journal's disk has less than ${freeBytesMin} bytes left; make room on it.`,
          { retryAfterSeconds: 5 },
        )
      }
      room -= bytes
      untilLook -= bytes
    },
  }
}
