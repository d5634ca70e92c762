import { readdirSync, readFileSync } from 'node:fs'
import { setPriority } from 'node:os'

/** How the embedded engine calls the threads that merge parts. */
const MERGE_THREAD = 'MergeMutate'
const TASKS = '/proc/self/task'

/**
 * Lets the embedded engine's merges yield to everything else in the process (`nice` 19), as its
 * loads do by a setting: nobody waits for a merge.
 *
 * Limits: on Linux only, where each thread has a priority of its own; elsewhere nothing changes.
 */
export function yieldMerges(): void {
  for (const task of tasks()) {
    if (nameOf(task) === MERGE_THREAD) setPriority(Number(task), 19)
  }
}

function tasks(): readonly string[] {
  try {
    return readdirSync(TASKS)
  } catch {
    return []
  }
}

// A thread may end while it is looked at; those that merge live as long as the engine.
function nameOf(task: string): string {
  try {
    return readFileSync(`${TASKS}/${task}/comm`, 'utf8').trim()
  } catch {
    return ''
  }
}
