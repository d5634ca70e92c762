import { expect, test } from 'vitest'
import { AppError } from '../core/errors.ts'
import { rejectedCommand } from './rejected.ts'

interface Call {
  method: string
  path: string
  body: object | undefined
}

async function run(
  args: readonly string[],
  answers: readonly (object | AppError)[],
): Promise<{ calls: Call[]; out: string; err: string; code: number }> {
  const result = { calls: [] as Call[], out: '', err: '', code: 0 }
  const left = [...answers]
  const command = rejectedCommand({
    callAdmin: async (_, method, path, body) => {
      result.calls.push({ method, path, body })
      const answer = left.shift()
      if (answer instanceof AppError) throw answer
      return answer
    },
    print: (text) => {
      result.out += text
    },
    complain: (text) => {
      result.err += text
    },
    exitWith: (code) => {
      result.code = code
    },
  })
  await command.parseAsync([...args], { from: 'user' })
  return result
}

function item(line: number, raw: string): object {
  const receivedMs = Date.UTC(2026, 10, 20, 5)
  return {
    frame: 7,
    line,
    receivedMs,
    source: 'edge',
    meter: 'cdn',
    reason: 'unknown_resource',
    detail: 'x.example',
    raw,
  }
}

const counts = [{ source: 'edge', meter: 'cdn', reason: 'unknown_resource', lines: 3 }]

test('rejected lines are listed page by page, with what a terminal would obey escaped', async () => {
  const { calls, out } = await run(
    ['list', '--source', 'edge', '--limit', '3'],
    [
      { items: [item(1, 'a\u001B[2Jb'), item(2, 'c')], counts, nextCursor: '7.2' },
      { items: [item(3, 'd')], nextCursor: '7.3' },
    ],
  )
  expect(calls.map(({ path }) => path)).toEqual([
    '/rejected?limit=3&source=edge',
    '/rejected?limit=1&source=edge&cursor=7.2',
  ])
  expect(out).toContain(
    '2026-11-20T05:00:00.000Z  edge  cdn  unknown_resource x.example\n    a\\x1b[2Jb\n',
  )
  expect(out).toContain('3 of 3 rejected lines shown')
})

test('nothing rejected is said so', async () => {
  expect((await run(['list'], [{ items: [], counts: [], nextCursor: null }])).out).toBe(
    'No rejected lines.\n',
  )
})

test('replay sends the filter and the new way to read', async () => {
  const { calls, out } = await run(
    ['replay', '--detail', 'x.example', '--format', 'combined', '--domain', 'a.example'],
    [{ lines: 5, accepted: 3, duplicate: 1, stillRejected: 1 }],
  )
  expect(calls).toEqual([
    {
      method: 'POST',
      path: '/rejected/replay',
      body: {
        detail: 'x.example',
        format: 'combined',
        clientFrom: 'remote_addr',
        domain: 'a.example',
        timeZone: null,
      },
    },
  ])
  expect(out).toBe('5 lines tried again: 3 accepted, 1 duplicate, 1 still rejected\n')
})

test.each([
  [['replay', '--domain', 'a.example'], [], 'add --format'],
  [['list'], [new AppError('token_unknown', 'Send an admin token.')], 'Send an admin token.'],
  [['list'], [{ lines: [] }], 'another version of this protocol'],
])('%j fails with a clear text', async (args, answers, problem) => {
  const result = await run(args, answers)
  expect(result.code).toBe(1)
  expect(result.err).toContain(problem)
})
