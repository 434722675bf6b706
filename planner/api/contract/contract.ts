import { z } from 'zod'
import { ROLES, type Role } from '../../identity/index.ts'
import { DEVICE_OPERATIONS } from './device-operations.ts'
import { MODEL_OPERATIONS } from './model-operations.ts'
import { nothing, type Operation } from './operation.ts'
import { OPERATOR_OPERATIONS } from './operator-operations.ts'
import { ROLLOUT_OPERATIONS } from './rollout-operations.ts'
import { SAMPLE_OPERATIONS } from './sample-operations.ts'
import { SHIPMENT_OPERATIONS } from './shipment-operations.ts'

/** Who may call what; over the planner's own socket everybody is an admin. */
export { ROLES, type Role }

/** Every operation of the planner: what goes in, what comes out, who may. Names are a contract. */
export const OPERATIONS = {
  'planner.info': {
    role: 'viewer',
    input: nothing,
    output: z.object({
      version: z.string(),
      fleet: z.string(),
      broker: z.string(),
      database: z.string(),
      trust: z.string(),
      /** What is wrong with its clock, and what to do. */
      clock: z.string().optional(),
    }),
  },
  ...DEVICE_OPERATIONS,
  ...MODEL_OPERATIONS,
  ...ROLLOUT_OPERATIONS,
  ...SAMPLE_OPERATIONS,
  ...SHIPMENT_OPERATIONS,
  ...OPERATOR_OPERATIONS,
} as const satisfies Record<string, Operation>

type Operations = typeof OPERATIONS
export type OperationName = keyof Operations
export type OperationInput<K extends OperationName> = z.output<Operations[K]['input']>
/** As it travels: of a list, one page. */
export type OperationAnswer<K extends OperationName> = z.output<Operations[K]['output']>
/** As callers get it: of a list, all there is. */
export type OperationOutput<K extends OperationName> = Operations[K] extends {
  readonly item: infer Item extends z.ZodType
}
  ? z.output<Item>[]
  : OperationAnswer<K>

/** Those that answer page by page. */
export type ListName = {
  [K in OperationName]: Operations[K] extends { readonly item: z.ZodType } ? K : never
}[OperationName]

export const progressSchema = z.object({
  what: z.string(),
  done: z.number(),
  total: z.number(),
})
export type ApiProgress = z.infer<typeof progressSchema>

export const operationNames = Object.keys(OPERATIONS) as [OperationName, ...OperationName[]]
