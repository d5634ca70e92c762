import type { Project } from '../../catalog/model.ts'
import type { Caller, OperationDeps } from './caller.ts'

/** A project with what a list shows beside it. */
export interface ListedProject {
  readonly project: Project
  /** Living resources of every meter. */
  readonly resourceCount: number
}

/** Lists the projects that the caller may use, oldest first. */
export async function listProjects(
  caller: Caller,
  deps: Pick<OperationDeps, 'catalog'>,
): Promise<readonly ListedProject[]> {
  const projects = await deps.catalog.projects(caller.account)
  return Promise.all(
    projects.map(async (project) => ({
      project,
      resourceCount: await deps.catalog.resourceCount(project.id),
    })),
  )
}
