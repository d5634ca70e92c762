import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeBody } from './decode.ts'

const MAX = 1 << 20
const TEXT = 'one line after the other\n'.repeat(1000)

/** A zstd frame of raw blocks (RFC 8878 3.1.1) with the window that is asked for. */
function zstdFrame(content: Buffer, windowLog = 17): Buffer {
  const blocks: Buffer[] = []
  for (let at = 0; at === 0 || at < content.length; at += 1 << 16) {
    const part = content.subarray(at, at + (1 << 16))
    const isLast = at + (1 << 16) >= content.length ? 1 : 0
    const header = Buffer.alloc(3)
    header.writeUIntLE((part.length << 3) | isLast, 0, 3)
    blocks.push(header, part)
  }
  const head = [0x28, 0xb5, 0x2f, 0xfd, 0x00, (windowLog - 10) << 3]
  return Buffer.concat([Buffer.from(head), ...blocks])
}

/** 'weir weir weir weir' as the reference program compresses it: from a pipe, and from a file. */
const BY_ZSTD = Buffer.from('KLUv/QRYXQAAKHdlaXIgAQCQixbD0E8Q', 'base64')
const BY_ZSTD_SINGLE = Buffer.from('KLUv/SQTXQAAKHdlaXIgAQCQixbD0E8Q', 'base64')

describe('what is decoded', () => {
  test.each([
    ['nothing', undefined, (body: Buffer) => body],
    ['identity', 'identity', (body: Buffer) => body],
    ['gzip', ' GZIP ', (body: Buffer) => gzipSync(body)],
    [
      'gzip in two members',
      'x-gzip',
      (body: Buffer) => Buffer.concat([gzipSync(body.subarray(0, 9)), gzipSync(body.subarray(9))]),
    ],
    ['zstd', 'zstd', (body: Buffer) => zstdFrame(body)],
    [
      'zstd in two frames',
      'zstd',
      (body: Buffer) =>
        Buffer.concat([zstdFrame(body.subarray(0, 9)), zstdFrame(body.subarray(9))]),
    ],
  ])('%s', async (_, encoding, encode) => {
    const decoded = await decodeBody(encode(Buffer.from(TEXT)), encoding, MAX)
    expect(decoded.toString()).toBe(TEXT)
  })

  test('what the reference program compressed', async () => {
    for (const body of [BY_ZSTD, BY_ZSTD_SINGLE]) {
      expect((await decodeBody(body, 'zstd', MAX)).toString()).toBe('weir weir weir weir')
    }
  })

  test('an empty body stays empty', async () => {
    expect((await decodeBody(Buffer.alloc(0), 'zstd', MAX)).length).toBe(0)
  })
})

describe('what is refused', () => {
  test.each([
    ['gzip', gzipSync(TEXT)],
    ['zstd', zstdFrame(Buffer.from(TEXT))],
    ['zstd', BY_ZSTD],
    ['zstd', BY_ZSTD_SINGLE],
  ])('%s cut short anywhere', async (encoding, whole) => {
    const step = Math.ceil(whole.length / 200)
    for (let length = 1; length < whole.length; length += step) {
      const cut = whole.subarray(0, length)
      await expect(decodeBody(cut, encoding, MAX)).rejects.toMatchObject({ code: 'body_malformed' })
    }
  })

  test('gzip with a changed byte', async () => {
    const damaged = gzipSync(TEXT)
    damaged[damaged.length - 6] = (damaged[damaged.length - 6] ?? 0) ^ 1
    await expect(decodeBody(damaged, 'gzip', MAX)).rejects.toMatchObject({ code: 'body_malformed' })
  })

  test('anything that is no zstd at all', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 100 }), async (bytes) => {
        const body = Buffer.from(bytes)
        await expect(decodeBody(body, 'zstd', MAX)).rejects.toMatchObject({
          code: 'body_malformed',
        })
      }),
    )
  })

  test('a bomb, before it fills the memory', async () => {
    const zeros = Buffer.alloc(64 << 20)
    const bombs: [string, Buffer][] = [
      ['gzip', gzipSync(zeros)],
      ['zstd', repeatBlocks(100)],
    ]
    for (const [encoding, bomb] of bombs) {
      expect(bomb.length).toBeLessThan(MAX)
      const before = process.memoryUsage().rss
      await expect(decodeBody(bomb, encoding, MAX)).rejects.toMatchObject({ code: 'too_large' })
      expect(process.memoryUsage().rss - before).toBeLessThan(48 << 20)
    }
  })

  test('a zstd frame that asks for a window of a gigabyte', async () => {
    const frame = zstdFrame(Buffer.from('x'), 30)
    const started = process.memoryUsage().arrayBuffers
    await expect(decodeBody(frame, 'zstd', MAX)).rejects.toThrow('its window is larger than')
    const second = Buffer.concat([zstdFrame(Buffer.from('x')), frame])
    await expect(decodeBody(second, 'zstd', MAX)).rejects.toThrow('its window is larger than')
    expect(process.memoryUsage().arrayBuffers - started).toBeLessThan(16 << 20)
  })

  test('another encoding, with those that are understood', async () => {
    await expect(decodeBody(Buffer.from('x'), 'br', MAX)).rejects.toMatchObject({
      code: 'media_type_unsupported',
      message: 'Content encoding br is not understood; send gzip, zstd or none.',
    })
  })
})

/** A frame of blocks that repeat one byte 64 Ki times each, in four bytes. */
function repeatBlocks(count: number): Buffer {
  const block = Buffer.alloc(4)
  block.writeUIntLE((65_536 << 3) | (1 << 1), 0, 3)
  const last = Buffer.from(block)
  last[0] = (last[0] ?? 0) | 1
  const head = Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0x00, 7 << 3])
  return Buffer.concat([head, ...Array.from({ length: count - 1 }, () => block), last])
}
