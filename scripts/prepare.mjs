// Makes the checkout ready to run: installs missing packages, then builds dist/ when sources are
// newer. Plain JavaScript without dependencies, because it runs before anything is installed.
//
//   node scripts/prepare.mjs             what `npm start` needs
//   node scripts/prepare.mjs --dev       what `npm test` needs: development packages too
//   node scripts/prepare.mjs --rebuild   builds even when dist/ is up to date

import { spawnSync } from 'node:child_process'
import {
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..')
const NODE_MIN = [20, 19]
const STAMP = join(ROOT, 'dist', '.built')

const flags = new Set(process.argv.slice(2))

requireNode()
const mustBuild = flags.has('--rebuild') || isBuildOld()
const reason = missingPackage({ dev: flags.has('--dev') || mustBuild })
if (reason !== null) install(reason)
if (mustBuild) build()

function requireNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const [majorMin, minorMin] = NODE_MIN
  if (major > majorMin || (major === majorMin && minor >= minorMin)) return
  fail(
    `Weir needs Node.js ${NODE_MIN.join('.')} or newer; this is ${process.versions.node}.\n` +
      'Install a current release from https://nodejs.org/ and run the command again.',
  )
}

/**
 * Names the first package whose installed version is not the one in package-lock.json, or null.
 *
 * Versions are compared, not file times: a checkout or a restored cache gives files any time.
 * Optional packages may be absent (`npm ci --omit=optional`), but not of another version.
 */
function missingPackage({ dev }) {
  const wanted = readPackages(join(ROOT, 'package-lock.json'))
  const installed = readPackages(join(ROOT, 'node_modules', '.package-lock.json'))
  if (wanted === null) return installed === null ? 'node_modules' : null
  if (installed === null) return 'node_modules'
  for (const [path, { version, dev: isDev, optional, devOptional }] of Object.entries(wanted)) {
    if (path === '' || (isDev && !dev)) continue
    const found = installed[path]
    if (found === undefined && (optional || devOptional)) continue
    if (found?.version !== version) return path.replace(/^.*node_modules\//, '')
  }
  return null
}

function readPackages(path) {
  return existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')).packages : null
}

function install(missing) {
  console.log(`Installing packages (${missing} is missing or old), once …`)
  const options = ['--include=dev', '--no-audit', '--no-fund']
  if (existsSync(join(ROOT, 'package-lock.json')) && tryRun(npmCommand(), ['ci', ...options]))
    return
  // Other npm releases may find the lock file incomplete; it still says which versions to take.
  run(npmCommand(), ['install', '--no-save', ...options], {
    hint:
      'Packages could not be installed. Check that the npm registry can be reached ' +
      '(npm ping), then run the command again.',
  })
}

/** npm tells its own path to the scripts it runs; without npm, the one on the PATH has to do. */
function npmCommand() {
  const path = process.env['npm_execpath']
  return path !== undefined && /npm-cli\.c?js$/.test(path) ? [process.execPath, path] : ['npm']
}

/** A package installed from the registry has dist/ and no src/: nothing to build. */
function isBuildOld() {
  if (!existsSync(join(ROOT, 'src'))) return false
  if (!existsSync(STAMP)) return true
  const builtMs = statSync(STAMP).mtimeMs
  const inputs = ['package.json', 'tsconfig.json'].map((name) => join(ROOT, name))
  return [...inputs, ...sources(join(ROOT, 'src'))].some((path) => statSync(path).mtimeMs > builtMs)
}

/** Source files and their folders; a folder's time tells of removed files. */
function sources(folder) {
  const paths = [folder]
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.isDirectory()) paths.push(...sources(join(folder, entry.name)))
    else if (entry.name.endsWith('.ts') && !entry.name.endsWith('.test.ts')) {
      paths.push(join(folder, entry.name))
    }
  }
  return paths
}

function build() {
  const startedMs = Date.now()
  rmSync(join(ROOT, 'dist'), { recursive: true, force: true })
  const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc')
  run([process.execPath, tsc], ['-p', join(ROOT, 'tsconfig.json')], {
    hint: 'The build failed; the errors are above.',
  })
  writeFileSync(STAMP, '')
  // The stamp is as old as the start: a file saved while the compiler ran is built again next time.
  utimesSync(STAMP, startedMs / 1000, startedMs / 1000)
  console.log(`Built dist/ in ${((Date.now() - startedMs) / 1000).toFixed(1)} s.`)
}

function run(command, args, { hint }) {
  if (!tryRun(command, args)) fail(hint)
}

function tryRun([command, ...first], args) {
  const shell = process.platform === 'win32' && command === 'npm'
  const options = { cwd: ROOT, stdio: 'inherit', shell }
  return spawnSync(command, [...first, ...args], options).status === 0
}

function fail(message) {
  console.error(`\n${message}`)
  process.exit(1)
}
