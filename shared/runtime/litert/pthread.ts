import { moduleFactory } from './module.ts'

// Entry of the threads that the threaded build starts: the same glue, which knows by its workerData that it
// hosts a pthread, and makes itself the globals of a web worker. They stay in this thread.
await moduleFactory('threads', 1, globalThis)({})
