import type { SelectionInput } from '../../../planner/selection/index.ts'

/** The fastest that keeps its accuracy, as `fitment models add` has it. */
export const USUAL_RULES: Pick<SelectionInput, 'constraints' | 'objective' | 'room' | 'incumbent'> =
  {
    constraints: {
      maxAccuracyDrop: 0.01,
      maxLatencyMs: null,
      maxMemoryBytes: null,
      maxBytes: null,
    },
    objective: 'latency',
    room: { storageBytes: null, memoryBytes: null },
    incumbent: null,
  }
