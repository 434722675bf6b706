import { type CommandReference, flat, type OptionReference } from './tree.ts'

/** For `fitment completion fish | source`, and for a file of vendor_completions.d. */
export function fishCompletion(program: CommandReference): string {
  const all = flat(program)
  const at = `__${program.name.replaceAll('-', '_')}_at`
  const lines = all.flatMap((command) => {
    const here = `complete -c ${program.name} -n ${quoted(`${at} ${quoted(command.path)}`)}`
    return [
      ...command.commands.map(
        ({ name, summary }) => `${here} -a ${quoted(name)} -d ${quoted(summary)}`,
      ),
      ...command.options.map((option) => `${here} ${optionWords(option)}`),
    ]
  })
  const paths = all.slice(1).map(({ path }) => quoted(path))
  return `# Completions of ${program.name} for fish: ${program.name} completion fish | source
function ${at}
  set -l at ${program.name}
  for word in (commandline -opc)[2..-1]
    switch "$at $word"
      case ${paths.join(' ')}
        set at "$at $word"
    end
  end
  test "$at" = "$argv[1]"
end
${lines.join('\n')}
`
}

function optionWords({ names, description, takes, choices }: OptionReference): string {
  const words = names.map((name) =>
    name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`,
  )
  const value =
    choices.length > 0 ? [`-x -a ${quoted(choices.join(' '))}`] : takes === 'value' ? ['-r'] : []
  return [...words, ...value, `-d ${quoted(description)}`].join(' ')
}

/** Of single quotes fish reads a backslash before a quote and before itself. */
function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}
