import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatasetError, readArrays } from '../../shared/dataset/index.ts'
import {
  parseMessage,
  printBlockFrame,
  printMessage,
  printTopic,
} from '../../shared/messages/index.ts'
import {
  wholeFiles as onnxFiles,
  outcomeOf as outcomeOfOnnx,
} from '../planner/formats/onnx/damaged.ts'
import {
  outcomeOf as outcomeOfTflite,
  wholeFiles,
} from '../planner/formats/tflite/codec/damaged.ts'
import { DIGEST, sampleAck, sampleBirth, sampleCancel } from '../shared/messages/samples.ts'
import type { Subject } from './damage.ts'

const FIXTURES = join(process.cwd(), 'test', 'fixtures', 'datasets')

/** What reads bytes of others, each with whole files of its kind. */
export function subjects(rounds: number): readonly Subject[] {
  return [tflite(rounds), onnx(rounds), npz(rounds), messages(10 * rounds)]
}

function tflite(rounds: number): Subject {
  return { name: '.tflite files', rounds, files: wholeFiles(), outcomeOf: outcomeOfTflite }
}

function onnx(rounds: number): Subject {
  return { name: '.onnx files', rounds, files: onnxFiles(), outcomeOf: outcomeOfOnnx }
}

function npz(rounds: number): Subject {
  const folder = mkdtempSync(join(tmpdir(), 'fuzz-'))
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }))
  const path = join(folder, 'damaged.npz')
  const outcomeOf = async (bytes: Uint8Array): Promise<string> => {
    writeFileSync(path, bytes)
    try {
      await readArrays(path, { maxArrayBytes: 2 ** 26 })
      return 'read'
    } catch (error) {
      return refusal(error, error instanceof DatasetError ? error.code : undefined)
    }
  }
  const files = readdirSync(FIXTURES)
    .filter((name) => /\.np[yz]$/.test(name))
    .map((name) => ({ name, bytes: new Uint8Array(readFileSync(join(FIXTURES, name))) }))
  return { name: '.npz and .npy files', rounds, files, outcomeOf }
}

/** Each as bytes on the topic it belongs to. */
function messages(rounds: number): Subject {
  const death = { v: 1, epoch: { start: 's', connection: 1 } } as const
  const said = [
    ['birth', printMessage('birth', sampleBirth())],
    ['death', printMessage('death', death)],
    ['reports', printMessage('reports', sampleAck('ack-1'))],
    ['orders', printMessage('orders', sampleCancel())],
    ['blocks', printBlockFrame(DIGEST, 3, Buffer.alloc(500, 7))],
  ] as const
  // The first byte says which topic the rest is for, so that topics are damaged too.
  const files = said.map(([channel, bytes], index) => ({
    name: channel,
    bytes: Buffer.concat([Buffer.from([index]), bytes]),
  }))
  const topics = said.map(([channel]) => printTopic({ fleet: 'f', device: 'd', channel }))
  const outcomeOf = (bytes: Uint8Array): string => {
    try {
      const parsed = parseMessage(topics[(bytes[0] ?? 0) % 7] ?? 'fit/1/f/d/?/x', bytes.subarray(1))
      if (parsed.ok) return 'read'
      return parsed.refusal.message.includes('\n') ? '! several lines' : parsed.refusal.code
    } catch (error) {
      return refusal(error, undefined)
    }
  }
  return { name: 'messages', rounds, files, outcomeOf }
}

/** A refusal with a code and one line is as it should be; anything else is not. */
function refusal(error: unknown, code: string | undefined): string {
  if (code === undefined) return `! ${error instanceof Error ? error.stack : String(error)}`
  return String(error).includes('\n') ? '! a message of several lines' : code
}
