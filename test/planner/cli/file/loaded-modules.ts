/** Loaded before a program (`node --import`): writes the address of every module that it loads, a line each. */
import { register } from 'node:module'
import { isMainThread } from 'node:worker_threads'

const HOOK = `
import { appendFileSync } from 'node:fs'
export function load(url, context, next) {
  appendFileSync(process.env.FITMENT_TEST_LOADED, url + '\\n')
  return next(url, context)
}`

if (isMainThread) register(`data:text/javascript,${encodeURIComponent(HOOK)}`)
