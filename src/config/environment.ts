/** Variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>

/** The environment of this process, as it is at the time of the call. */
export function processEnvironment(): Environment {
  return { ...process.env }
}
