export type MeterName = 'cdn' | 'eip' | 'mna'
