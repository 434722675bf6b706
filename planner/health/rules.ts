import { readFile } from 'node:fs/promises'
import { z } from 'zod'
import { AppError, isMissing, reasonOf } from '../../shared/errors.ts'
import { modelNameSchema } from '../../shared/ids.ts'
import { parseJson } from '../../shared/json.ts'
import { type Condition, parseCondition } from './conditions.ts'
import type { Patience } from './hysteresis.ts'

/** What raises an alarm: a condition that does not hold, window after window. */
export interface Rule extends Patience {
  readonly name: string
  readonly must: Condition
  /** Null: all. */
  readonly models: readonly string[] | null
  readonly classes: readonly string[] | null
}

/** The file of rules cannot be used. */
export class RulesError extends AppError {
  readonly code = 'alarm-rules'
}

const ruleSchema = z.strictObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/),
  must: z.string().max(100),
  raiseAfter: z.number().int().min(1).max(1000).default(3),
  clearAfter: z.number().int().min(1).max(1000).default(3),
  models: z.array(modelNameSchema).min(1).optional(),
  classes: z.array(z.string().max(128)).min(1).optional(),
})
const fileSchema = z.strictObject({ rules: z.array(ruleSchema).max(100) })

const of = (name: string, must: string, raiseAfter = 3, clearAfter = 3): Rule => ({
  ...{ name, must: parseCondition(must), raiseAfter, clearAfter },
  ...{ models: null, classes: null },
})

/** Where the operator gave none. What false alarms they give: test/simulation/drift. */
export const DEFAULT_RULES: readonly Rule[] = [
  of('drift', 'drift<0.2'),
  of('slow', 'p95<2x'),
  of('not-finite', 'not-finite<1%', 1),
  of('hot', 'temperature<90'),
  of('restarts', 'restarts<3', 2),
  of('self-check', 'check-failed<1', 1, 1),
]

/** `alarms.json` of the data directory; the default rules where there is none. @throws RulesError */
export async function readRules(path: string): Promise<readonly Rule[]> {
  try {
    return rulesIn(await readFile(path, 'utf8'))
  } catch (error) {
    if (isMissing(error)) return DEFAULT_RULES
    const said = reasonOf(error)
    const how = '{"rules":[{"name":"drift","must":"drift<0.2","raiseAfter":3,"clearAfter":3}]}'
    throw new RulesError(`${path}: ${said}; write e.g. ${how}`, { path }, { cause: error })
  }
}

function rulesIn(text: string): readonly Rule[] {
  const { rules } = parseJson(fileSchema, text)
  const twice = rules.find(({ name }, i) => rules.findIndex((rule) => rule.name === name) !== i)
  if (twice) throw new RulesError(`two rules are called "${twice.name}"`)
  return rules.map(({ must, models = null, classes = null, ...rule }) => {
    return { ...rule, must: parseCondition(must), models, classes }
  })
}

export function appliesTo(
  { models, classes }: Rule,
  { model, class: id }: { readonly model: string; readonly class: string | null },
): boolean {
  return (
    (models?.includes(model) ?? true) && (classes === null || (id !== null && classes.includes(id)))
  )
}
