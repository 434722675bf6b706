import { join } from 'node:path'
import { readReport } from '../../agent/inventory/index.ts'
import { deviceTree, deviceTrees } from '../device-trees.ts'
import type { BoardFacts } from './board-births.ts'

/** In this order: what people have most comes first. */
const FIRST = ['raspberry-pi-4', 'rock-5b', 'raspberry-pi-zero-2-w', 'imx8mp-evk', 'jetson-nano']
/** Captured to be confused with another, or spoiled on purpose. */
const LEFT_OUT = ['false-pi-4', 'garbage']
const FREE_BYTES = 20e9

/** What devices of so many classes say of themselves: real inventories of captured trees. */
export async function boardFacts(classes: number, dir: string): Promise<BoardFacts[]> {
  const rest = [...deviceTrees().keys()]
    .filter((name) => !FIRST.includes(name) && !LEFT_OUT.includes(name))
    .sort()
  const names = [...FIRST, ...rest].slice(0, classes)
  return Promise.all(
    names.map(async (name) => {
      const report = await readReport({ root: deviceTree(name), stateDir: join(dir, name) })
      return {
        // The disk is this host's, and what is free there changes from run to run.
        report: { ...report, storage: { totalBytes: 32e9, freeBytes: FREE_BYTES } },
        runtimes: [
          { name: 'litert', version: '2.5.3' },
          { name: 'onnxruntime', version: '1.30.0' },
        ],
      }
    }),
  )
}
