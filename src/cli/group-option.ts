import { InvalidArgumentError } from 'commander'

/** Named groups of resources, each by id or name. */
export type Groups = Readonly<Record<string, readonly string[]>>

/** Reads one `--group name=resource,resource` and adds it to those before. */
export function collectGroup(text: string, found: Groups | undefined): Groups {
  const match = /^([^=]+)=([^,]+(?:,[^,]+)*)$/.exec(text)
  if (match === null) throw new InvalidArgumentError('Write it as name=resource,resource.')
  const [, name = '', ids = ''] = match
  if (Object.hasOwn(found ?? {}, name)) {
    throw new InvalidArgumentError(`Name all resources of ${name} at once.`)
  }
  return { ...found, [name]: ids.split(',') }
}
