import { listProjects } from '../operations/projects.ts'
import { accountAction } from './action.ts'

/** Answers the projects that the caller may use. */
export const getProjectList = accountAction({
  name: 'GetProjectList',
  summary: 'Projects that the caller may use, oldest first.',
  source: 'ucloud.md §6',
  parameters: {
    IsFinance: { type: 'string', required: false, doc: '"Yes" or "No"; accepted and ignored.' },
  },
  answer: async (_values, { caller, deps }) => {
    const projects = await listProjects(caller, deps)
    return {
      ProjectCount: projects.length,
      ProjectSet: projects.map(({ project, resourceCount }) => ({
        ProjectId: project.id,
        ProjectName: project.name,
        // Deprecated by the vendor, still in every model: projects have no parents.
        ParentId: '',
        ParentName: '',
        CreateTime: Math.floor(project.createdMs / 1000),
        IsDefault: project.isDefault,
        ResourceCount: resourceCount,
        MemberCount: 1,
      })),
    }
  },
})
