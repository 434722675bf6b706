import type { Form } from '../../../graph/index.ts'

export type IntegerForm = Extract<Form, { parameters: unknown }>
