import { quoted, waysDown } from './posix-shells.ts'
import { type CommandReference, flat, type OptionReference } from './tree.ts'

/** For bash-completion, and for `source <(fitment completion bash)`. */
export function bashCompletion(program: CommandReference): string {
  const all = flat(program)
  const name = `_${program.name.replaceAll('-', '_')}`
  return `# Completions of ${program.name} for bash: source <(${program.name} completion bash)
${name}() {
  local cur=\${COMP_WORDS[COMP_CWORD]} prev=\${COMP_WORDS[COMP_CWORD-1]}
  local at=${program.name} commands= options= word
  COMPREPLY=()
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$at $word" in
${waysDown(all)}
    esac
  done
  case "$at $prev" in
${all
  .flatMap(({ path, options }) => options.flatMap((option) => valueCases(path, option)))
  .join('\n')}
  esac
  case "$at" in
${all.map(caseOf).join('\n')}
  esac
  if [[ $cur == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$cur"))
  else
    COMPREPLY=($(compgen -W "$commands" -- "$cur"))
  fi
}
complete -o default -F ${name} ${program.name}
`
}

/** What an option takes comes next: one of its choices, or a file as the shell completes them. */
function valueCases(path: string, option: OptionReference): string[] {
  if (option.takes === 'nothing') return []
  const pattern = option.names.map((name) => quoted(`${path} ${name}`)).join('|')
  if (option.choices.length > 0) {
    return [
      `    ${pattern}) COMPREPLY=($(compgen -W ${quoted(option.choices.join(' '))} -- "$cur")); return ;;`,
    ]
  }
  return option.takes === 'value' ? [`    ${pattern}) return ;;`] : []
}

function caseOf({ path, commands, options }: CommandReference): string {
  const words = commands.map(({ name }) => name).join(' ')
  const flags = options.flatMap(({ names }) => names).join(' ')
  return `    ${quoted(path)}) commands=${quoted(words)} options=${quoted(flags)} ;;`
}
