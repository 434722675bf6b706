import type { OnnxNode } from '../model.ts'
import type { GraphEditor } from './graph-editor.ts'

/** One output-preserving rewrite: `match` finds it at a node, `rewrite` does it. */
export interface Rule {
  readonly name: string
  /** Rewrites at this node; false where the rule does not apply. */
  apply(node: OnnxNode, editor: GraphEditor): boolean
}

export function rule<M>(row: {
  readonly name: string
  readonly match: (node: OnnxNode, editor: GraphEditor) => M | null
  readonly rewrite: (found: M, editor: GraphEditor) => void
}): Rule {
  return {
    name: row.name,
    apply(node, editor) {
      const found = row.match(node, editor)
      if (found === null) return false
      row.rewrite(found, editor)
      return true
    },
  }
}

/** The only walk: rules at every node until none applies. @returns how often each applied */
export function applyRules(editor: GraphEditor, rules: readonly Rule[]): Map<string, number> {
  const applied = new Map<string, number>()
  for (let changed = true; changed; ) {
    changed = false
    for (const node of [...editor.graph.node]) {
      if (!editor.graph.node.includes(node)) continue
      const found = rules.find((one) => one.apply(node, editor))
      if (found === undefined) continue
      applied.set(found.name, (applied.get(found.name) ?? 0) + 1)
      changed = true
    }
  }
  return applied
}
