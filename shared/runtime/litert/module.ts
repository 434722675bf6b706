import { createRequire } from 'node:module'
import { dirname, extname } from 'node:path'
import { fileURLToPath } from 'node:url'
import { compileFunction } from 'node:vm'
import { Worker } from 'node:worker_threads'
import type { LitertModule, ModuleFactory } from './bindings.ts'
import { BUILDS, type BuildName } from './builds.ts'
import { buildFile, readBuildFile } from './package-files.ts'

const require = createRequire(import.meta.url)

/** Node has it; the compiler's library without the DOM does not. */
declare const WebAssembly: {
  instantiate(bytes: Uint8Array, imports: object): Promise<{ instance: object; module: object }>
}

/** Reads fall through to the real globals, writes stay here. */
export function shadowGlobals(): object {
  const own: Record<PropertyKey, unknown> = {}
  return new Proxy(own, {
    get: (target, key) => (key in target ? target[key] : Reflect.get(globalThis, key)),
  })
}

/**
 * Evaluates the glue of a build as the CommonJS module it is (the package marks it as ESM, so `require` refuses).
 * @param globals what the glue takes for `globalThis`: the threaded build sets `Worker` on it
 */
export function moduleFactory(build: BuildName, threads: number, globals: object): ModuleFactory {
  const { file } = BUILDS[build]
  const filename = buildFile(file)
  const scope = {
    module: { exports: {} as { default: ModuleFactory } },
    exports: {},
    require,
    __filename: filename,
    __dirname: dirname(filename),
    /** Size of the pool of pthreads; the browser's name steers a polyfill. */
    navigator: { hardwareConcurrency: threads, userAgent: 'Node.js' },
    globalThis: globals,
    Worker,
  }
  const source = readBuildFile(file).toString('utf8')
  compileFunction(source, Object.keys(scope), { filename })(...Object.values(scope))
  return scope.module.exports.default
}

/** Severity prefix of LiteRT's log lines. */
const ERROR_LINE = /^ERROR:\s*(.*)$/

/**
 * Starts one wasm instance in this thread. Nothing is set on `globalThis`.
 * @param onError receives the text of each error line that LiteRT logs
 */
export async function startModule(
  build: BuildName,
  threads: number,
  onError: (line: string) => void,
): Promise<LitertModule> {
  const pthreadEntry = new URL(`./pthread${extname(import.meta.url)}`, import.meta.url)
  const wasm = readBuildFile(BUILDS[build].file.replace(/\.js$/, '.wasm'))
  // The glue would look for the file itself; here it is handed over, and held by nobody once it is compiled.
  let failed: (reason: unknown) => void = () => {}
  const failure = new Promise<never>((_, reject) => {
    failed = reject
  })
  const started = moduleFactory(
    build,
    threads,
    shadowGlobals(),
  )({
    instantiateWasm: (imports: object, done: (instance: object, module: object) => void) => {
      WebAssembly.instantiate(wasm, imports).then(
        ({ instance, module }) => done(instance, module),
        failed,
      )
      return {}
    },
    print: () => {},
    printErr: (line: string) => {
      const text = ERROR_LINE.exec(line)?.[1]
      if (text !== undefined) onError(text)
    },
    mainScriptUrlOrBlob: fileURLToPath(pthreadEntry),
  })
  return await Promise.race([started, failure])
}
