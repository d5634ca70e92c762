import { chmodSync, chownSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Where the server leaves the first admin token for commands run on the same machine. */
export function adminTokenPath(directory: string): string {
  return join(directory, 'admin-token')
}

/** Writes the admin token where only the owner of the data directory can read it. */
export function saveAdminToken(directory: string, token: string): void {
  const path = adminTokenPath(directory)
  writeFileSync(path, `${token}\n`, { mode: 0o600 })
  // The mode above counts only for a new file.
  chmodSync(path, 0o600)
  if (process.getuid?.() !== 0) return
  // What root writes is for the user that the server runs as, who owns the directory.
  const { uid, gid } = statSync(directory)
  chownSync(path, uid, gid)
}

/** Reads the admin token; undefined when the directory has none or may not be read. */
export function readAdminToken(directory: string): string | undefined {
  try {
    return readFileSync(adminTokenPath(directory), 'utf8').trim()
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'EACCES' || code === 'ENOTDIR') return undefined
    throw error
  }
}
