import { describe, expect, it } from 'vitest'
import { bindLiterals } from './bind.ts'

describe('bindLiterals', () => {
  it.each([
    ['a text', 'x', "CAST('x', 'String')"],
    ['a quote', "it's", "CAST('it\\'s', 'String')"],
    ['a backslash before a quote', "\\' OR 1", "CAST('\\\\\\' OR 1', 'String')"],
    ['NUL', 'a\0b', "CAST('a\\0b', 'String')"],
    ['what looks like a placeholder', '{y:String}', "CAST('{y:String}', 'String')"],
    ['what looks like a replacement', '$& $1', "CAST('$& $1', 'String')"],
    ['an integer', 42, "CAST(42, 'String')"],
    ['a 64-bit integer', 2n ** 63n, "CAST(9223372036854775808, 'String')"],
  ])('writes %s as a literal', (_, x, literal) => {
    expect(bindLiterals('SELECT {x:String}', { x, y: 'not this' })).toBe(`SELECT ${literal}`)
  })

  it('writes lists, empty ones too', () => {
    expect(bindLiterals('{a:Array(String)} {b:Array(UInt32)}', { a: ['p', "q'"], b: [] })).toBe(
      "CAST(['p', 'q\\''], 'Array(String)') CAST([], 'Array(UInt32)')",
    )
  })

  it('leaves braces that are no placeholders', () => {
    const sql = "file('/data/{1.body,2.body}')"
    expect(bindLiterals(sql, {})).toBe(sql)
  })

  it.each([[undefined], [1.5], [Number.NaN], [null], [{}], [[1.5]]])('refuses %s', (x) => {
    expect(() => bindLiterals('SELECT {x:String}', { x })).toThrow('The value of {x} cannot')
  })
})
