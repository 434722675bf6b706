/** A row per state; an event without an entry cannot happen in that state, and the row says why. */
export type Transitions<State extends string, Event extends string> = Readonly<
  Record<State, Readonly<Partial<Record<Event, State>>>>
>

/** `undefined` where the table has a gap. */
export function nextState<State extends string, Event extends string>(
  table: Transitions<State, Event>,
  state: State,
  event: Event,
): State | undefined {
  return table[state][event]
}

export function statesOf<State extends string, Event extends string>(
  table: Transitions<State, Event>,
): State[] {
  return Object.keys(table) as State[]
}

/** No event leads out of it. */
export function isTerminal<State extends string, Event extends string>(
  table: Transitions<State, Event>,
  state: State,
): boolean {
  return Object.keys(table[state]).length === 0
}
