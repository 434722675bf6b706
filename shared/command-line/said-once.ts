import type { Option } from 'commander'
import { UsageError } from '../errors.ts'

/**
 * An option with one value says one thing: given twice, commander would take the last, and drop the first without a word.
 * @throws UsageError when it is parsed a second time with another value
 */
export function saidOnce(option: Option): Option {
  if (option.variadic || (!option.required && !option.optional)) return option
  let said: string | undefined
  return option.argParser((value: string) => {
    if (said !== undefined && said !== value)
      throw new UsageError(
        `${option.long ?? option.flags} is given twice, as "${said}" and "${value}": leave one out, or where it takes several write them in one, by commas`,
      )
    said = value
    return value
  })
}
