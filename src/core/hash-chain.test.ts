import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { checkLink, EMPTY_HEAD, hashLink, linkText, type ChainHead } from './hash-chain.ts'

// From a shell: printf '%s' "$(printf '0%.0s' $(seq 64))a" | sha256sum, then that hash and `b`.
const A = '798681f5061511d34f32f43ab175a3ee7007fecfdc844295e054315b0af2d23d'
const B = '3682b038900167ad4cb4d1c4048581bd4473b2e74239b4abb490e156774c84b2'

test('a link hashes to what any other SHA-256 makes of it', () => {
  expect(hashLink(EMPTY_HEAD.hash, 'a')).toBe(A)
  const first = linkText(EMPTY_HEAD, 'a')
  expect(first).toEqual({ sequence: 1, previousHash: '0'.repeat(64), hash: A })
  expect(linkText(first, 'b')).toEqual({ sequence: 2, previousHash: A, hash: B })
})

test('a chain of any texts holds, and every other text, place or hash is a broken link', () => {
  fc.assert(
    fc.property(fc.array(fc.string(), { minLength: 1 }), fc.string(), (texts, other) => {
      let head: ChainHead = EMPTY_HEAD
      for (const text of texts) {
        const link = linkText(head, text)
        const { sequence } = link
        const broken = (change: object, of = text) => checkLink(head, { ...link, ...change }, of)
        expect(broken({})).toBeNull()
        expect(broken({ sequence: sequence + 1 })).toEqual({ sequence, reason: 'sequence' })
        expect(broken({ previousHash: '' })).toEqual({ sequence, reason: 'previous-hash' })
        expect(broken({ hash: '' })).toEqual({ sequence, reason: 'hash' })
        expect(broken({}, `${other}${text}.`)).toEqual({ sequence, reason: 'hash' })
        head = link
      }
    }),
  )
})
