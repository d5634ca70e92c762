import { expect, test } from 'vitest'
import { collectGroup } from './group-option.ts'

test('groups add up, each with its resources', () => {
  const first = collectGroup('line-1=eip-1,eip-2', undefined)
  expect(collectGroup('line-2=eip-3', first)).toEqual({
    'line-1': ['eip-1', 'eip-2'],
    'line-2': ['eip-3'],
  })
})

test.each(['', 'a', 'a=', '=eip-1', 'a=eip-1,', 'a=,eip-1'])('"%s" is no group', (text) => {
  expect(() => collectGroup(text, undefined)).toThrow('Write it as name=resource,resource.')
})

test('a group that is named twice is no accident that passes', () => {
  expect(() => collectGroup('a=eip-2', { a: ['eip-1'] })).toThrow(
    'Name all resources of a at once.',
  )
})
