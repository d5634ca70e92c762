#!/usr/bin/env node
// Every statement of the embedded engine holds a thread of Node's pool while it runs. The pool's
// size is read once, before anything uses it, so it is set here, ahead of the first import.
process.env.UV_THREADPOOL_SIZE ??= '16'
import('../dist/main.js').catch((error) => {
  console.error(error)
  process.exitCode = 1
})
