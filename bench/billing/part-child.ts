import { PARTS } from './parts.ts'
import { PART } from './scripts.ts'

await PART.act(async ({ part: name, directory }) => {
  const part = PARTS.find((each) => each.name === name)
  if (part === undefined) throw new Error(`there is no part ${name}`)
  return await part.run(directory, (text) => {
    process.stderr.write(`billing, ${name}: ${text}\n`)
  })
})
