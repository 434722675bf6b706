/** Places moved apart until each is so far from the next, each as near to where it was as the others let it. */
export function spread(places: readonly number[], least: number): readonly number[] {
  const order = places.map((place, at) => ({ place, at })).sort((a, b) => a.place - b.place)
  // Places that would touch become one run, which lies around the middle of what its members wished for.
  const runs: { sum: number; members: number[] }[] = []
  const startOf = ({ sum, members }: (typeof runs)[number]) => sum / members.length
  for (const { place, at } of order) {
    runs.push({ sum: place, members: [at] })
    for (;;) {
      const [before, last] = runs.slice(-2)
      if (!before || !last) break
      if (startOf(before) + before.members.length * least <= startOf(last)) break
      const shifted = last.sum - last.members.length * before.members.length * least
      runs.splice(-2, 2, {
        sum: before.sum + shifted,
        members: [...before.members, ...last.members],
      })
    }
  }
  const moved = [...places]
  for (const run of runs) {
    for (const [index, at] of run.members.entries()) moved[at] = startOf(run) + index * least
  }
  return moved
}
