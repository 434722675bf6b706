interface Arc {
  readonly to: number
  /** What still fits. */
  room: number
  readonly back: Arc | null
}

/** Below this, what is left of a time is rounding. */
const NOTHING = 1e-9

/** A network of pipes between numbered places; cheapest is what separates source and sink (Edmonds and Karp, 1972). */
export class FlowNetwork {
  readonly #arcs = new Map<number, Arc[]>()

  /** A second pipe between the same places adds to the first. */
  pipe(from: number, to: number, capacity: number): void {
    const back: { to: number; room: number; back: Arc | null } = { to: from, room: 0, back: null }
    const arc: Arc = { to, room: capacity, back }
    back.back = arc
    this.#from(from).push(arc)
    this.#from(to).push(back)
  }

  /** Places on the source's side when the pipes of the least total capacity are cut. Uses the network up. */
  sourceSide(source: number, sink: number): ReadonlySet<number> {
    for (;;) {
      const cameBy = this.#reach(source)
      if (!cameBy.has(sink)) return new Set([source, ...cameBy.keys()])
      push(pathTo(sink, source, cameBy))
    }
  }

  /** The pipe by which each place is reached first. */
  #reach(source: number): Map<number, Arc> {
    const cameBy = new Map<number, Arc>()
    const queue = [source]
    for (const place of queue) {
      for (const arc of this.#from(place)) {
        if (arc.room <= NOTHING || arc.to === source || cameBy.has(arc.to)) continue
        cameBy.set(arc.to, arc)
        queue.push(arc.to)
      }
    }
    return cameBy
  }

  #from(place: number): Arc[] {
    const known = this.#arcs.get(place)
    if (known) return known
    const none: Arc[] = []
    this.#arcs.set(place, none)
    return none
  }
}

function pathTo(sink: number, source: number, cameBy: ReadonlyMap<number, Arc>): Arc[] {
  const path: Arc[] = []
  for (let place = sink; place !== source; ) {
    const arc = cameBy.get(place) as Arc
    path.push(arc)
    place = (arc.back as Arc).to
  }
  return path
}

function push(path: readonly Arc[]): void {
  const most = Math.min(...path.map(({ room }) => room))
  for (const arc of path) {
    arc.room -= most
    ;(arc.back as Arc).room += most
  }
}
