import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { bufferedStream, createLog } from './log.ts'

function capture(work: (log: ReturnType<typeof createLog>) => void): Record<string, unknown>[] {
  const lines: string[] = []
  work(createLog({ level: 'info', stream: { write: (line) => lines.push(line) } }))
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>)
}

test('a line is one JSON object with time, level and message', () => {
  const [line] = capture((log) => log.warn({ batch: 7, bytes: 2n ** 60n }, 'loader: slow'))
  expect(line).toMatchObject({ level: 'warn', batch: 7, msg: 'loader: slow' })
  expect(line?.['time']).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/)
})

test('secrets never reach the log', () => {
  const text = JSON.stringify(
    capture((log) => {
      log.info({ token: 'hunter2', key: { secret: 'hunter2' } }, 'made')
      log.info({ headers: { authorization: 'Bearer hunter2' } }, 'asked')
    }),
  )
  expect(text).not.toContain('hunter2')
})

test('an error is logged with its cause', () => {
  const [line] = capture((log) => {
    log.error({ err: new Error('outer', { cause: new Error('disk is full') }) }, 'failed')
  })
  expect(JSON.stringify(line)).toContain('disk is full')
})

test('lines below the level are left out', () => {
  expect(capture((log) => log.debug('detail'))).toEqual([])
})

test('lines are gathered; a warning is written at once, with all before it', () => {
  const directory = mkdtempSync(join(tmpdir(), 'weir-log-'))
  const path = join(directory, 'log')
  try {
    const log = createLog({ level: 'info', stream: bufferedStream(path) })
    log.info('first')
    expect(readFileSync(path, 'utf8')).toBe('')
    log.warn('second')
    const messages = readFileSync(path, 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { msg: string }).msg)
    expect(messages).toEqual(['first', 'second'])
  } finally {
    rmSync(directory, { recursive: true })
  }
})
