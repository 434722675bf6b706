#!/usr/bin/env node
import { guardOutput } from '../../shared/command-line/index.ts'
import { namingOf } from '../../shared/started-as.ts'
import { commandsFor } from './commands.ts'
import { runProgram } from './program/program.ts'

guardOutput(process)
const argv = process.argv.slice(2)
process.exitCode = await runProgram(await commandsFor(argv), argv, process, namingOf(process))
