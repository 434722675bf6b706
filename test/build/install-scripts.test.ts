import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { z } from 'zod'

const packageSchema = z.object({ allowScripts: z.record(z.string(), z.boolean()) })
const lockSchema = z.object({
  packages: z.record(z.string(), z.object({ hasInstallScript: z.boolean().optional() })),
})

/** Tests are started at the package's root. */
function read<T>(file: string, schema: z.ZodType<T>): T {
  return schema.parse(JSON.parse(readFileSync(join(process.cwd(), file), 'utf8')))
}

// The script of onnxruntime-node fetches CUDA binaries on Linux x64, and `npm ci` fails where it cannot. Newer
// npm asks package.json; older npm runs what the lock file says has a script. It writes that line again when this
// dependency is updated: delete it then.
t.test('npm runs no install script of a dependency', async (t) => {
  const { packages } = read('package-lock.json', lockSchema)
  const scripted = Object.keys(packages).filter((path) => packages[path]?.hasInstallScript)
  t.strictSame(scripted, [], 'package-lock.json has no "hasInstallScript"')
  t.strictSame(read('package.json', packageSchema).allowScripts, {
    // Its binary comes as a package of its own: the script only looks whether it did.
    '@swc/core': false,
    // As esbuild's.
    esbuild: false,
    // So does koffi's; where its binary did not come, the script would build one.
    koffi: false,
    'onnxruntime-node': false,
    // It warns about versions, and comes with what decodes Sparkplug in tests.
    protobufjs: false,
  })
})
