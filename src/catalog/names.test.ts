import { expect, test } from 'vitest'
import type { MeterName } from './model.ts'
import { canonicalName } from './names.ts'

// What usage says is compared byte by byte with these names, so each has exactly one spelling.
test.each<[MeterName, string, string | undefined]>([
  ['cdn', 'www.example.com', 'www.example.com'],
  ['cdn', 'WWW.Example.COM.', 'www.example.com'],
  ['cdn', ' a.example ', 'a.example'],
  ['cdn', 'bücher.example', 'xn--bcher-kva.example'],
  ['cdn', '例子.测试', 'xn--fsqu00a.xn--0zwm56d'],
  ['cdn', 'static_1.example.com', 'static_1.example.com'],
  ['cdn', 'localhost', 'localhost'],
  ['cdn', '*.example.com', undefined],
  ['cdn', '192.0.2.1', undefined],
  ['cdn', 'a..b', undefined],
  ['cdn', '-a.example', undefined],
  ['cdn', 'a.example:8080', undefined],
  ['cdn', 'a.example/path', undefined],
  ['cdn', `${'a'.repeat(64)}.example`, undefined],
  ['cdn', Array.from({ length: 64 }, () => 'abc').join('.'), undefined],
  ['cdn', '', undefined],
  ['eip', '192.0.2.1', '192.0.2.1'],
  ['eip', '2001:0DB8:0:0:0:0:0:1', '2001:db8::1'],
  ['eip', '2001:db8::1', '2001:db8::1'],
  ['eip', '::ffff:192.0.2.1', '192.0.2.1'],
  ['eip', '192.0.2.01', undefined],
  ['eip', '192.0.2.0/24', undefined],
  ['eip', 'fe80::1%eth0', undefined],
  ['eip', 'www.example.com', undefined],
  ['mna', 'gateway 1', 'gateway 1'],
  ['mna', '网关-1', '网关-1'],
  ['mna', ' gateway', undefined],
  ['mna', 'gate\u0000way', undefined],
  ['mna', 'x'.repeat(129), undefined],
])('a %s resource called %j is known as %j', (meter, text, expected) => {
  expect(canonicalName(meter, text)).toBe(expected)
})
