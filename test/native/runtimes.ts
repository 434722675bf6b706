import { existsSync } from 'node:fs'
import { join } from 'node:path'

const FOLDER = process.env.FITMENT_TEST_RUNTIMES ?? join(process.cwd(), '.native-runtimes')

/** What `test/native/fetch.sh` brings, by where it lies. */
const FILES = {
  tflite: 'tflite-2.9/libtensorflowlite_c.so',
  tfliteHeaders: 'tflite-2.9/include',
  litert: 'litert-2.3/ai_edge_litert/libLiteRt.so',
  litertWheel: 'ai_edge_litert-2.3.0-cp311-cp311-manylinux_2_27_x86_64.whl',
  openvino: 'openvino-2026.4/openvino/libs/libopenvino_c.so.2641',
  openvinoWheel: 'openvino-2026.4.1-22982-cp311-cp311-manylinux_2_28_x86_64.whl',
  vela: 'vela/bin/vela',
} as const
export type NativeThing = keyof typeof FILES

export function nativePath(thing: NativeThing): string {
  return join(FOLDER, FILES[thing])
}

/** For tap's `skip`: why tests with it cannot run here, or false. */
export function lacks(thing: NativeThing): string | false {
  if (existsSync(nativePath(thing))) return false
  return `${nativePath(thing)} is not there: run test/native/fetch.sh`
}
