import { InvalidArgumentError } from 'commander'

/** Named groups of resource ids. */
export type Groups = Readonly<Record<string, readonly string[]>>

/** Reads one `--group name=id,id` and adds it to those before. */
export function collectGroup(text: string, found: Groups | undefined): Groups {
  const match = /^([^=]+)=([^,]+(?:,[^,]+)*)$/.exec(text)
  if (match === null) throw new InvalidArgumentError('Write it as name=id,id.')
  const [, name = '', ids = ''] = match
  if (Object.hasOwn(found ?? {}, name)) {
    throw new InvalidArgumentError(`Name all resources of ${name} at once.`)
  }
  return { ...found, [name]: ids.split(',') }
}
