/** A package as package-lock.json describes it. */
export interface LockedPackage {
  readonly version?: string
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

/** The part of package-lock.json that is looked at: packages by their place in node_modules. */
export interface LockFile {
  readonly packages: Readonly<Record<string, LockedPackage>>
}

/** Machines that every package with native code is locked for, as far as it exists there. */
const NATIVE = ['chdb', 'libsql'] as const
const MACHINES = ['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64'] as const

/**
 * Names optional packages that the lock file has lost, and the machines that lack their engine.
 *
 * `npm install` with a node_modules that was made elsewhere drops the entries of other platforms;
 * `npm ci` then installs nothing for them, and the server does not start there.
 */
export function checkLock({ packages }: LockFile): string[] {
  const lost = Object.entries(packages).flatMap(([place, { optionalDependencies = {} }]) =>
    Object.entries(optionalDependencies)
      .filter(([name, wanted]) => !isLocked(find(packages, place, name), wanted))
      .map(([name]) => `package-lock.json: ${name} of ${place || 'package.json'} ${WAY_OUT}`),
  )
  const lacking = NATIVE.flatMap((name) => {
    const { optionalDependencies = {} } = packages[`node_modules/${name}`] ?? {}
    return MACHINES.filter(
      (machine) => !Object.keys(optionalDependencies).some((each) => each.includes(machine)),
    ).map((machine) => `package-lock.json: ${name} for ${machine} ${WAY_OUT}`)
  })
  return [...lost, ...lacking]
}

const WAY_OUT =
  'is missing or of another version; restore the file, remove node_modules, and run the npm install again that changed it'

/** Native packages name one version; of a range the lock has some version. */
function isLocked(found: LockedPackage | undefined, wanted: string): boolean {
  if (found?.version === undefined) return false
  return !/^\d/.test(wanted) || found.version === wanted
}

/** The package that a name means at a place: in its own node_modules, or in one further out. */
function find(
  packages: LockFile['packages'],
  place: string,
  name: string,
): LockedPackage | undefined {
  for (let at = place; ; at = at.slice(0, Math.max(0, at.lastIndexOf('node_modules/') - 1))) {
    const found = packages[`${at === '' ? '' : `${at}/`}node_modules/${name}`]
    if (found !== undefined || at === '') return found
  }
}
