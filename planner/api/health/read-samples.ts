import { z } from 'zod'
import { parseCaptured } from '../../../shared/capture/index.ts'
import type { ConductorContext } from '../../conductor/index.ts'
import { printSelector } from '../../groups/index.ts'
import { readSample } from '../../samples/index.ts'
import {
  audit,
  type CapturedPlace,
  type CapturedQuery,
  type CapturedRow,
  capturedSamples,
  devices as deviceRows,
} from '../../storage/index.ts'
import { type Call, deviceNamed, modelNamed } from '../call/call.ts'
import type { OperationAnswer, OperationInput } from '../contract/contract.ts'
import { parseCursor, printCursor, USUAL_ITEMS } from '../contract/paging.ts'
import type { SampleView } from '../contract/sample-operations.ts'
import { originsOf, selected } from '../devices/read-devices.ts'

/** Rows that are looked at together. */
const PAGE = 1000
/** Bytes of one answer, and one sample more. */
const PAGE_BYTES = 4 * 2 ** 20

type Row = OperationAnswer<'samples.list'>['rows'][number]

/** @throws ApiError `unknown-model`, `unknown-device`; SelectorError */
export async function listSamples(
  input: OperationInput<'samples.list'>,
  { context }: Call,
): Promise<OperationAnswer<'samples.list'>> {
  const { db, settings } = context
  const query = await queryOf(context, input)
  const rows = new Map<string, Row>()
  const origin = originsOf(context.db)
  for await (const row of kept(context, query)) {
    const { revision } = await origin(row)
    const key = `${row.model} ${revision} ${row.device}`
    const { model, device, receivedAt } = row
    const fresh = { samples: 0, bytes: 0, reasons: {}, first: receivedAt, last: receivedAt }
    const sum: Row = rows.get(key) ?? { model, revision, device, ...fresh }
    rows.set(key, {
      ...sum,
      samples: sum.samples + 1,
      bytes: sum.bytes + row.bytes,
      reasons: { ...sum.reasons, [row.why]: (sum.reasons[row.why] ?? 0) + 1 },
      first: receivedAt < sum.first ? receivedAt : sum.first,
      last: receivedAt > sum.last ? receivedAt : sum.last,
    })
  }
  const held = await capturedSamples.keptByDevice(db)
  return {
    rows: [...rows.values()].sort(
      (a, b) => a.model.localeCompare(b.model) || a.device.localeCompare(b.device),
    ),
    waiting: await capturedSamples.countOffered(db, query),
    usedBytes: held.reduce((sum, { bytes }) => sum + bytes, 0),
    quotaBytes: settings.samplesQuotaBytes,
  }
}

const placeSchema = z.tuple([z.number().int().nonnegative()])

/** A page of them, the oldest or the newest first. Who looks at inputs of applications stands in the audit. */
export async function readSamples(
  { limit = USUAL_ITEMS, cursor, newest, ...input }: OperationInput<'samples.read'>,
  { context, actor }: Call,
): Promise<OperationAnswer<'samples.read'>> {
  const query = await queryOf(context, input)
  if (cursor === undefined) {
    const { model, device, where, since } = input
    const detail = { device, where: where && printSelector(where), since }
    const entry = { actor, action: 'samples.read', subject: model, detail }
    await audit.writeAudit(context.db, entry, context.now())
  }
  const items: SampleView[] = []
  const origin = originsOf(context.db)
  const [after] = cursor === undefined ? [] : parseCursor(placeSchema, cursor)
  const place = { after, backwards: newest ?? false }
  let bytes = 0
  for await (const row of kept(context, query, place)) {
    // Its file may have made room for another a moment ago.
    const file = await readSample(context.artifacts.root, row.device, row.digest)
    const sample = file && parseCaptured(file)
    if (sample) {
      const { device, receivedAt } = row
      const { at, why, inputs, outputs } = sample
      const { revision } = await origin(row)
      items.push({ device, revision, at, receivedAt, why, inputs, outputs })
    }
    bytes += row.bytes
    const isFull = bytes >= PAGE_BYTES || items.length >= limit
    if (isFull) return { items, next: printCursor([row.seq]), total: null }
  }
  return { items, next: null, total: null }
}

async function queryOf(
  context: ConductorContext,
  { model, device, where, since }: Omit<OperationInput<'samples.list'>, 'limit' | 'cursor'>,
): Promise<CapturedQuery> {
  const { db } = context
  if (model !== undefined) await modelNamed(context, model)
  if (device !== undefined) await deviceNamed(context, device)
  const matched = where && (await selected(db, await deviceRows.listDevices(db), where))
  const ids = matched?.map(({ id }) => id).filter((id) => device === undefined || id === device)
  const named = ids ?? (device === undefined ? undefined : [device])
  return {
    model,
    devices: named && new Set(named),
    since: since && new Date(since).toISOString(),
  }
}

async function* kept(
  { db }: ConductorContext,
  query: CapturedQuery,
  { after: from, backwards = false }: CapturedPlace = {},
): AsyncGenerator<CapturedRow> {
  for (let after = from; ; ) {
    const page = await capturedSamples.pageOfKept(db, query, { after, backwards }, PAGE)
    for (const row of page) if (query.devices?.has(row.device) ?? true) yield row
    const last = page.at(-1)
    if (!last || page.length < PAGE) return
    after = last.seq
  }
}
