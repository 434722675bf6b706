const NEWLINE = 0x0a
const RETURN = 0x0d

/**
 * Lines of a stream of bytes, without their ends and without empty ones.
 * @param most bytes of a line; of a longer one only that it was there: undefined
 */
export async function* linesOf(
  input: AsyncIterable<Uint8Array>,
  most: number,
): AsyncGenerator<Uint8Array | undefined> {
  let held: Uint8Array[] = []
  let bytes = 0
  const take = (last: Uint8Array): Uint8Array | undefined => {
    const isTooLong = bytes + last.length > most
    const line = isTooLong ? undefined : Buffer.concat([...held, last])
    held = []
    bytes = 0
    return line?.at(-1) === RETURN ? line.subarray(0, -1) : line
  }
  for await (const chunk of input) {
    let rest = chunk
    for (let end = rest.indexOf(NEWLINE); end >= 0; end = rest.indexOf(NEWLINE)) {
      const line = take(rest.subarray(0, end))
      if (line?.length !== 0) yield line
      rest = rest.subarray(end + 1)
    }
    bytes += rest.length
    if (bytes <= most) held.push(rest)
    else held = []
  }
  if (bytes === 0) return
  const line = take(new Uint8Array())
  if (line?.length !== 0) yield line
}
