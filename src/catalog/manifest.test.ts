import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { AppError } from '../core/errors.ts'
import { Manifest, parseManifest } from './manifest.ts'

function complaintOf(text: string): string {
  try {
    parseManifest(text, 'catalog.yaml')
  } catch (error) {
    if (error instanceof AppError) return error.message
    throw error
  }
  return ''
}

test('a whole catalog is read, names in the form in which usage names them', () => {
  const manifest = parseManifest(
    `
brands: [{ name: Weir, hosts: [API.example.com] }]
accounts:
  - name: acme
    projects: [{ name: video, default: true }, { name: web }]
resources:
  - { meter: cdn, name: WWW.Acme.example, account: acme, project: web }
  - { meter: eip, name: '2001:0db8::0001', account: acme, payMode: Bandwidth }
packages:
  - { type: traffic, id: pkg-acme-2026, account: acme, area: cn, size: 10 TB }
  - { type: exclusive, resource: '2001:db8::1', size: 1 GiB, resetPolicy: Month }
sources: [{ name: edge, meters: [mna, cdn] }]
`,
    'catalog.yaml',
  )
  expect(manifest.brands?.[0]?.hosts).toEqual(['api.example.com'])
  expect(manifest.resources?.map((entry) => entry.name)).toEqual([
    'www.acme.example',
    '2001:db8::1',
  ])
  expect(manifest.packages?.map((entry) => entry.size)).toEqual([10_000_000_000_000n, 1n << 30n])
  expect(manifest.sources?.[0]?.meters).toEqual(['cdn', 'mna'])
})

test('an empty file asks for nothing', () => {
  expect(parseManifest('', 'catalog.yaml')).toEqual({})
})

test('every mistake is named with file, line and column, in the order of the file', () => {
  const complaint = complaintOf(`accounts:
  - name: acme
    colour: red
resources:
  - meter: cdn
    name: 192.0.2.1
    account: acme
  - meter: dns
    name: a.example
packages:
  - type: traffic
    id: pkg-1
    account: acme
    area: cn
    size: much
`)
  expect(complaint.split('\n')).toEqual([
    'catalog.yaml:3:5 accounts[0].colour is not known here',
    'catalog.yaml:6:5 resources[0].name must be a domain name such as www.example.com',
    expect.stringMatching(/^catalog\.yaml:8:5 resources\[1\]\.meter /),
    'catalog.yaml:8:5 resources[1].account is required',
    expect.stringMatching(/^catalog\.yaml:15:5 packages\[0\]\.size must be a volume/),
  ])
})

test('what is no YAML is named with file, line and column', () => {
  expect(complaintOf('accounts: [\n')).toMatch(/^catalog\.yaml:\d+:\d+ /)
})

// Each run would undo what the other entry did.
test.each([
  [
    'resources: [{meter: cdn, name: a.b, account: x}, {meter: cdn, name: A.B, account: y}]',
    'resources[1] repeats cdn a.b',
  ],
  ['accounts: [{name: x}, {name: x}]', 'accounts[1] repeats x'],
  ['accounts: [{name: x, projects: [{name: p}, {name: p}]}]', 'accounts[0].projects[1] repeats p'],
  [
    'accounts: [{name: x, projects: [{name: p, default: true}, {name: q, default: true}]}]',
    'accounts[0].projects[1] is a second default project',
  ],
])('%s is refused', (text, complaint) => {
  expect(complaintOf(text)).toContain(complaint)
})

test('two accounts may name their gateways the same', () => {
  const text = 'resources: [{meter: mna, name: g, account: x}, {meter: mna, name: g, account: y}]'
  expect(complaintOf(text)).toBe('')
})

test('the documented file is one that is read', () => {
  const page = readFileSync(
    new URL('../../docs/reference/catalog-file.md', import.meta.url),
    'utf8',
  )
  const [, text = ''] = /```yaml\n([\s\S]*?)```/.exec(page) ?? []
  const manifest = parseManifest(text, 'catalog-file.md')
  // Every section is shown, so that none is left undocumented.
  expect(Object.keys(manifest).sort()).toEqual(Object.keys(Manifest.shape).sort())
})
