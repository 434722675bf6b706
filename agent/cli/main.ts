#!/usr/bin/env node
import { setFlagsFromString } from 'node:v8'

// An agent waits most of its life on a small board, and the heavy work is in child processes and native
// code: a young generation that does not grow and no optimizing compiler keep 15 MB less resident, and
// downloads are as fast. Before the imports, because V8 grows while it loads them.
setFlagsFromString('--semi-space-growth-factor=1')
setFlagsFromString('--no-opt')

const { guardOutput } = await import('../../shared/command-line/index.ts')
guardOutput(process)
const { runProgram } = await import('./program.ts')
process.exitCode = await runProgram()
