/** The resources of the example, which its catalog registers and its usage names. */

/** Account, projects and their ids. */
export const EXAMPLE_ACCOUNT = { id: 'acc-example', name: 'example' } as const
export const EXAMPLE_PROJECTS = [
  { id: 'org-example', name: 'Default' },
  { id: 'org-example-media', name: 'Media' },
] as const

/** Domains. Source: names of RFC 2606, which belong to nobody. */
export const EXAMPLE_DOMAINS = [
  { id: 'ucdn-example-video', name: 'video.example.com', kind: 'static', project: 'Default' },
  { id: 'ucdn-example-www', name: 'www.example.com', kind: 'static', project: 'Media' },
  { id: 'ucdn-example-api', name: 'api.example.com', kind: 'dynamic', project: 'Default' },
] as const

/** Elastic IPs. Source: addresses of RFC 5737, which lead nowhere. */
export const EXAMPLE_ADDRESSES = [
  {
    id: 'eip-example-bj',
    name: '203.0.113.10',
    region: 'cn-bj2',
    zone: 'cn-bj2-02',
    payMode: 'Traffic',
    project: 'Default',
  },
  {
    id: 'eip-example-hk',
    name: '198.51.100.20',
    region: 'hk',
    zone: 'hk-02',
    payMode: 'Traffic',
    project: 'Media',
  },
  {
    id: 'eip-example-sh',
    name: '192.0.2.30',
    region: 'cn-sh2',
    zone: 'cn-sh2-01',
    payMode: 'Bandwidth',
    project: 'Default',
  },
] as const

/** A private gateway, and two devices of the public one. */
export const EXAMPLE_DEVICES = [
  { id: 'mna-example-gateway', name: 'gateway-hangzhou', gatewayType: 1, project: 'Default' },
  { id: 'mna-example-truck', name: 'truck-17', gatewayType: 0, project: 'Default' },
  { id: 'mna-example-vessel', name: 'vessel-3', gatewayType: 0, project: 'Media' },
] as const

/** Names of the ways in, one per meter. */
export const EXAMPLE_SOURCES = {
  cdn: 'example-access-log',
  eip: 'example-eip',
  mna: 'example-mna',
} as const
