#!/usr/bin/env node
import { namingOf } from '../../shared/started-as.ts'
import { commandsFor } from './commands.ts'
import { runProgram } from './program/program.ts'

// A reader that has seen enough (`fitment … | head`) is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})

const argv = process.argv.slice(2)
process.exitCode = await runProgram(await commandsFor(argv), argv, process, namingOf(process))
