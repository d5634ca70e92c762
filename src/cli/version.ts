import { createRequire } from 'node:module'

// Beside src/ and dist/ alike.
const manifest = createRequire(import.meta.url)('../../package.json') as { version: string }

/** The release, as package.json has it. */
export const VERSION: string = manifest.version
