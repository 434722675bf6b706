import { intsOf } from '../attributes.ts'
import type { OnnxNode } from '../model.ts'
import { rule } from './rule.ts'

interface Shuffle {
  readonly split: OnnxNode
  readonly turn: OnnxNode
  readonly join: OnnxNode
  readonly groups: number
  readonly perGroup: number
}

// Reshape [N,g,c,H,W] → Transpose g,c → Reshape [N,c·g,H,W]  ⇒  Gather of channels: whole images are copied
export const channelShuffle = rule<Shuffle>({
  name: 'channel-shuffle',
  match(split, editor) {
    const turn = split.opType === 'Reshape' ? editor.onlyConsumer(split.output[0] ?? '') : undefined
    const join =
      turn?.opType === 'Transpose' ? editor.onlyConsumer(turn.output[0] ?? '') : undefined
    if (turn === undefined || join?.opType !== 'Reshape') return null
    const [before, apart, after] = [split.input[0], split.output[0], join.output[0]].map(
      (name) => editor.typeOf(name ?? '').shape,
    )
    if (before?.length !== 4 || apart?.length !== 5 || !after || before[1] === -1) return null
    const [, groups = 0, perGroup = 0, ...image] = apart
    const same =
      after.every((dim, i) => dim === before[i]) &&
      groups * perGroup === before[1] &&
      image.every((dim, i) => dim === before[i + 2])
    const swaps = intsOf(turn, 'perm')?.join() === '0,2,1,3,4'
    return same && swaps ? { split, turn, join, groups, perGroup } : null
  },
  rewrite({ split, turn, join, groups, perGroup }, editor) {
    const from = Array.from(
      { length: groups * perGroup },
      (_, channel) => (channel % groups) * perGroup + Math.floor(channel / groups),
    )
    const order = editor.addInt64s(`${join.output[0]}/order`, from)
    const gather = editor.newNode('Gather', [split.input[0] as string, order], join.output, {
      axis: ['int', 1],
    })
    editor.replace(split)
    editor.replace(turn)
    editor.replace(join, gather)
  },
})
