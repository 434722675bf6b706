import { quoted, waysDown } from './posix-shells.ts'
import { type CommandReference, flat } from './tree.ts'

/** For a folder of \`fpath\`, and for `source <(fitment completion zsh)`. */
export function zshCompletion(program: CommandReference): string {
  const all = flat(program)
  const name = `_${program.name.replaceAll('-', '_')}`
  const valued = all.flatMap(({ path, options }) =>
    options
      .filter(({ takes }) => takes !== 'nothing')
      .map((option) => ({
        ...option,
        pattern: option.names.map((flag) => quoted(`${path} ${flag}`)).join('|'),
      })),
  )
  return `#compdef ${program.name}
# Completions of ${program.name} for zsh: source <(${program.name} completion zsh)
${name}() {
  local at=${program.name} word
  local -a commands options
  for word in \${words[2,CURRENT-1]}; do
    case "$at $word" in
${waysDown(all)}
    esac
  done
  case "$at \${words[CURRENT-1]}" in
${valued
  .flatMap(({ pattern, choices, takes }) =>
    choices.length > 0
      ? [`    ${pattern}) compadd -- ${choices.map(quoted).join(' ')}; return ;;`]
      : takes === 'value'
        ? [`    ${pattern}) _files; return ;;`]
        : [],
  )
  .join('\n')}
  esac
  case $at in
${all.map(caseOf).join('\n')}
  esac
  if [[ \${words[CURRENT]} == -* ]]; then
    _describe -o option options
  elif (( \${#commands} )); then
    _describe command commands || _files
  else
    _files
  fi
}
if [[ \${funcstack[1]} == ${name} ]]; then
  ${name} "$@"
else
  compdef ${name} ${program.name}
fi
`
}

function caseOf({ path, commands, options }: CommandReference): string {
  const words = commands.map(({ name, summary }) => described(name, summary))
  const flags = options.flatMap(({ names, description }) =>
    names.map((name) => described(name, description)),
  )
  return `    ${quoted(path)})
      commands=(${words.join(' ')})
      options=(${flags.join(' ')}) ;;`
}

/** A colon parts the word from what is said of it. */
function described(word: string, text: string): string {
  return quoted(`${word.replaceAll(':', '\\:')}:${text.replace(/\s+/g, ' ')}`)
}
