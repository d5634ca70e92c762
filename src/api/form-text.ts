/** One `name=value` of a query string or form; `value` is undefined where there was no `=`. */
export type Pair = readonly [name: string, value: string | undefined]

/**
 * Splits a query string or a form body into decoded pairs, in their order.
 *
 * Shape: empty pieces (`&&`) are skipped; `+` and `%20` are a space; a broken percent escape or
 * invalid UTF-8 stays as it was written.
 * Source: ucloud.md §2, tencent.md §1.4.
 */
export function parsePairs(text: string): Pair[] {
  const pairs: Pair[] = []
  for (const piece of text.split('&')) {
    if (piece === '') continue
    const at = piece.indexOf('=')
    if (at < 0) pairs.push([decode(piece), undefined])
    else pairs.push([decode(piece.slice(0, at)), decode(piece.slice(at + 1))])
  }
  return pairs
}

/** Writes pairs as a form body or query string. */
export function formatPairs(pairs: readonly (readonly [string, string])[]): string {
  return pairs
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .join('&')
}

function decode(text: string): string {
  if (!/[%+]/.test(text)) return text
  const spaced = text.replaceAll('+', ' ')
  try {
    return decodeURIComponent(spaced)
  } catch (error) {
    if (error instanceof URIError) return spaced
    throw error
  }
}
