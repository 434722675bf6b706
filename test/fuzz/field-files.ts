import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { INSTALLED_MODEL_FILE, Slots } from '../../agent/artifacts/index.ts'
import { writeSamples } from '../../agent/cli/samples-command.ts'
import { parseObservation } from '../../agent/observe/observation-line.ts'
import { backup, restore } from '../../planner/backup/index.ts'
import { readInvitationList } from '../../planner/cli/devices/invitation-list.ts'
import { DataFolderError } from '../../planner/data-folders/errors.ts'
import { readLabelSet } from '../../planner/data-folders/labels/read-labels.ts'
import { createArtifactStore, openDatabase } from '../../planner/storage/index.ts'
import { openTrust } from '../../planner/trust/index.ts'
import { digestOf } from '../../shared/digest.ts'
import { AppError, reasonOf } from '../../shared/errors.ts'
import { parseReferenceSketch, plansOf, ReferenceBuilder } from '../../shared/sketch/index.ts'
import { DIGEST } from '../shared/messages/samples.ts'
import type { Subject } from './damage.ts'

/** What lies on disks of devices and planners, and what operators hand over, beside models and data. */
export async function fieldFiles(rounds: number): Promise<readonly Subject[]> {
  const dir = mkdtempSync(join(tmpdir(), 'fuzz-field-'))
  process.once('exit', () => rmSync(dir, { recursive: true, force: true }))
  return [
    sketches(rounds),
    installedModels(rounds, dir),
    samples(rounds, dir),
    observations(rounds),
    labels(rounds, dir),
    invitations(rounds),
    await backups(rounds, dir),
  ]
}

/** One line and a code, or the words of a schema that the reader's caller puts behind the name of the file. */
function refusal(error: unknown): string {
  const line = reasonOf(error)
  if (line.includes('\n')) return `! several lines: ${line}`
  if (error instanceof AppError && error.code !== 'invariant') return error.code
  const isOfParser = error instanceof SyntaxError || (error as { issues?: unknown }).issues
  return isOfParser ? 'refused' : `! ${error instanceof Error ? error.stack : line}`
}

function text(name: string, said: string) {
  return { name, bytes: new Uint8Array(Buffer.from(said)) }
}

function sketches(rounds: number): Subject {
  const builder = new ReferenceBuilder(
    [{ name: 'x', shape: [1, 8, 8, 3] }],
    [{ name: 'y', shape: [1, 10] }],
  )
  for (let i = 0; i < 50; i += 1) {
    builder.add('input', { x: Float32Array.from({ length: 192 }, (_, at) => Math.sin(i + at)) })
    builder.add('output', { y: Float32Array.from({ length: 10 }, (_, at) => Math.cos(i * at)) })
  }
  const whole = text('sketch.json', JSON.stringify(builder.finish()))
  const outcomeOf = (bytes: Uint8Array) => {
    try {
      const sketch = parseReferenceSketch(Buffer.from(bytes).toString())
      for (const plan of plansOf(sketch)) plan.of(new Float32Array(192))
      return 'read'
    } catch (error) {
      return refusal(error)
    }
  }
  return { name: 'sketch.json', rounds, files: [whole], outcomeOf }
}

/** An application is told of it, or of nothing. */
function installedModels(rounds: number, dir: string): Subject {
  const slots = new Slots(join(dir, 'slots'))
  const path = join(slots.directory('motor', DIGEST), INSTALLED_MODEL_FILE)
  mkdirSync(dirname(path), { recursive: true })
  const end = { name: 'x', type: 'int8', shape: [1, 8], quantization: { scale: 0.5, zeroPoint: 3 } }
  const said = {
    ...{ v: 1, model: 'motor', revision: 2, variant: DIGEST, scheme: 'static-w8a8' },
    ...{ file: 'model.tflite', runtime: 'litert', library: null, delegates: [], device: null },
    ...{ threads: 1, inputs: [end], outputs: [end], labels: ['a', 'b'], sketch: DIGEST },
  }
  const outcomeOf = async (bytes: Uint8Array) => {
    writeFileSync(path, bytes)
    try {
      return (await slots.installedModel('motor', DIGEST)) === undefined ? 'nothing' : 'read'
    } catch (error) {
      return `! ${reasonOf(error)}`
    }
  }
  return {
    name: 'model.json',
    rounds,
    files: [text('model.json', JSON.stringify(said))],
    outcomeOf,
  }
}

/** One spoiled sample costs itself. */
function samples(rounds: number, dir: string): Subject {
  const folder = join(dir, 'captured', 'motor')
  mkdirSync(folder, { recursive: true })
  const sample = {
    ...{ at: '2026-11-29T12:00:00.000Z', variant: DIGEST, why: 'unsure' },
    ...{ inputs: { x: [1, 2, 3] }, outputs: { y: [0.5, 0.5] } },
  }
  writeFileSync(join(folder, '1-whole.json'), JSON.stringify(sample))
  const path = join(folder, '2-damaged.json')
  const outcomeOf = async (bytes: Uint8Array) => {
    writeFileSync(path, bytes)
    try {
      const told = await writeSamples(dir, 'motor', join(dir, 'samples.npz'))
      return `${told.samples} samples, ${told.leftOut} left out`
    } catch (error) {
      return `! ${reasonOf(error)}`
    }
  }
  return { name: 'samples', rounds, files: [text('sample', JSON.stringify(sample))], outcomeOf }
}

/** What applications say on a socket of the device. */
function observations(rounds: number): Subject {
  const said = {
    ...{ model: 'motor', latencyMs: [3.2, null], outputs: { y: [0.1, null, 0.9] } },
    samples: [{ inputs: { x: [1, 2] }, outputs: { y: [0.1, 0.9] } }],
  }
  const outcomeOf = (bytes: Uint8Array) => {
    try {
      const parsed = parseObservation(Buffer.from(bytes).toString())
      if (parsed.ok) return 'read'
      return parsed.error.includes('\n') ? '! several lines' : 'refused'
    } catch (error) {
      return `! ${reasonOf(error)}`
    }
  }
  return { name: 'observations', rounds, files: [text('line', JSON.stringify(said))], outcomeOf }
}

const COCO = {
  images: [{ id: 1, file_name: 'a.png' }],
  categories: [{ id: 1, name: 'dog' }],
  annotations: [{ image_id: 1, category_id: 1, bbox: [1, 2, 3, 4], iscrowd: 0 }],
}

function labels(rounds: number, dir: string): Subject {
  const yolo = join(dir, 'yolo')
  mkdirSync(yolo)
  const kinds = [
    { path: join(dir, 'labels.csv'), said: 'file,label\na.png,1\nb.png,2\n' },
    { path: join(dir, 'boxes.csv'), said: 'a.png,0,1,2,30,40\nb.png,1,5,6,70,80\n' },
    { path: join(dir, 'coco.json'), said: JSON.stringify(COCO) },
    { path: join(yolo, 'a.txt'), said: '0 0.5 0.5 0.25 0.25\n1 0.1 0.2 0.1 0.1\n' },
  ]
  const files = kinds.map(({ said }, at) => ({
    name: kinds[at]?.path ?? '',
    // The first byte says which of them it is.
    bytes: new Uint8Array(Buffer.concat([Buffer.from([at]), Buffer.from(said)])),
  }))
  const outcomeOf = async (bytes: Uint8Array) => {
    const { path } = kinds[(bytes[0] ?? 0) % kinds.length] ?? { path: '' }
    writeFileSync(path, bytes.subarray(1))
    const given = path.endsWith('.txt') ? yolo : path
    try {
      const set = await readLabelSet(given, ['a', 'b'])
      set.of('a', { width: 64, height: 48 })
      return 'read'
    } catch (error) {
      return error instanceof DataFolderError ? refusal(error) : `! ${reasonOf(error)}`
    }
  }
  return { name: 'labels', rounds, files, outcomeOf }
}

function invitations(rounds: number): Subject {
  const said = 'device,site,line\npress-1,hall-2,"a"\npress-2,"hall-3",\n'
  const outcomeOf = (bytes: Uint8Array) => {
    try {
      readInvitationList(Buffer.from(bytes).toString(), 'devices.csv')
      return 'read'
    } catch (error) {
      return refusal(error)
    }
  }
  return { name: 'invitations', rounds, files: [text('devices.csv', said)], outcomeOf }
}

const PASSPHRASE = 'correct horse battery staple'
/** Each of these is unpacked, and its keys unsealed by a function that is slow on purpose. */
const BACKUPS_ONE_IN = 20

async function backups(rounds: number, dir: string): Promise<Subject> {
  const data = join(dir, 'fleet')
  const now = () => new Date()
  const database = await openDatabase({ data })
  await openTrust({ dir: join(data, 'trust'), now })
  await createArtifactStore(data, database.db, now).put(Buffer.from('an artifact'))
  const file = join(dir, 'backup.tar')
  await backup({ data, file, passphrase: PASSPHRASE, now: now() })
  await database.close()
  const [whole, keys] = [readFileSync(file), readFileSync(`${file}.keys`)]
  const first = join(dir, 'first')
  await restore({ file, data: first, passphrase: PASSPHRASE, now: now() })
  const rows = digestOf(readFileSync(join(first, 'fitment.db')))
  const files = [whole, keys].map((bytes, at) => ({
    name: at === 0 ? 'backup.tar' : 'backup.tar.keys',
    bytes: new Uint8Array(Buffer.concat([Buffer.from([at]), bytes])),
  }))
  const outcomeOf = async (bytes: Uint8Array) => {
    const areKeys = (bytes[0] ?? 0) % 2 === 1
    writeFileSync(file, areKeys ? whole : bytes.subarray(1))
    writeFileSync(`${file}.keys`, areKeys ? bytes.subarray(1) : keys)
    const back = join(dir, 'back')
    try {
      await restore({ file, data: back, passphrase: PASSPHRASE, now: now() })
      return digestOf(readFileSync(join(back, 'fitment.db'))) === rows ? 'restored' : '! other rows'
    } catch (error) {
      return refusal(error)
    } finally {
      rmSync(back, { recursive: true, force: true })
    }
  }
  return {
    name: 'backups',
    rounds: Math.ceil(rounds / BACKUPS_ONE_IN),
    files,
    outcomeOf,
  }
}
