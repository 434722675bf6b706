import { z } from 'zod'
import type { InputShapes } from '../../formats/onnx/index.ts'
import type { CliOption } from '../program/command.ts'

export const SHAPE_OPTION: CliOption = {
  flags: '--shape <name=sizes>',
  description: 'sizes where an .onnx model leaves them open, e.g. "x=1,3,224,224;mask=1,128"',
}

const ONE = /^(.+)=(\d+(?:,\d+)*)$/

export const shapeInput = z
  .string()
  .transform((text, context): InputShapes => {
    const shapes = new Map<string, number[]>()
    for (const part of text.split(';')) {
      const [, name, sizes] = ONE.exec(part.trim()) ?? []
      if (name === undefined || sizes === undefined) {
        context.addIssue({ code: 'custom', message: `"${part}" is not NAME=SIZE,SIZE,…` })
      } else shapes.set(name, sizes.split(',').map(Number))
    }
    return shapes
  })
  .optional()
