import { type Dataset, formatNpz, pickSamples, toArrays } from '../../shared/dataset/index.ts'

/** What a test slice may weigh on its way to a device. */
export const SLICE_BYTES = 1024 * 1024
/** Below this an accuracy means nothing, whatever the samples weigh. */
const FEWEST = 8
const MOST = 512

/**
 * The part of a test set that devices measure accuracy on, as .npz bytes: at most `maxBytes`, every
 * class in its share, the same part every time. Never fewer than 8 samples.
 */
export function sliceOf(
  dataset: Dataset,
  maxBytes: number = SLICE_BYTES,
): { readonly dataset: Dataset; readonly npz: Uint8Array; readonly rows: readonly number[] } {
  const all = stratified(dataset.labels ?? new Int32Array(dataset.samples))
  let count = Math.min(dataset.samples, MOST)
  for (;;) {
    const rows = all.slice(0, count)
    const slice = pickSamples(dataset, rows)
    const npz = formatNpz(toArrays(slice))
    if (npz.length <= maxBytes || count <= FEWEST) return { dataset: slice, npz, rows }
    const share = (0.97 * maxBytes) / npz.length
    count = Math.max(FEWEST, Math.min(count - 1, Math.floor(count * share)))
  }
}

/**
 * Which rows of the whole a slice of it holds; undefined where it is none of it that this version would make.
 * @param slice as `sliceOf` made it
 */
export function rowsOfSlice(whole: Dataset, slice: Dataset): readonly number[] | undefined {
  const all = stratified(whole.labels ?? new Int32Array(whole.samples))
  const rows = all.slice(0, slice.samples)
  const again = toArrays(pickSamples(whole, rows))
  const given = toArrays(slice)
  const isSame = [...given].every(([name, { data }]) => {
    const other = again.get(name)?.data
    return other?.length === data.length && data.every((value, i) => value === other[i])
  })
  return isSame && rows.length === slice.samples ? rows : undefined
}

/**
 * All rows in an order of which every beginning holds each class in its share: the k-th of a class's n
 * samples stands at (k + ½) / n.
 */
export function stratified(labels: Int32Array): readonly number[] {
  const rowsOf = new Map<number, number[]>()
  labels.forEach((label, row) => {
    const rows = rowsOf.get(label)
    if (rows) rows.push(row)
    else rowsOf.set(label, [row])
  })
  const placed = [...rowsOf].flatMap(([label, rows]) =>
    spread(rows).map((row, k) => ({ row, label, at: (k + 0.5) / rows.length })),
  )
  return placed.sort((a, b) => a.at - b.at || a.label - b.label).map(({ row }) => row)
}

/** Every beginning of the order covers the whole list evenly: index bits reversed (van der Corput). */
function spread(rows: readonly number[]): readonly number[] {
  const bits = Math.max(1, Math.ceil(Math.log2(rows.length)))
  const reversed = (index: number) => {
    let out = 0
    for (let bit = 0; bit < bits; bit += 1) out = out * 2 + ((index >> bit) & 1)
    return out
  }
  return rows
    .map((row, index) => ({ row, at: reversed(index) }))
    .sort((a, b) => a.at - b.at)
    .map(({ row }) => row)
}
