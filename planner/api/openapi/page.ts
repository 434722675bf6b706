import { createHash } from 'node:crypto'
import { documentOf } from './document.ts'
import type { JsonSchema } from './schemas.ts'

const STYLE = `
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2rem; }
details { border-bottom: 1px solid color-mix(in srgb, currentColor 20%, transparent); padding: .4rem 0; }
summary { cursor: pointer; overflow-wrap: anywhere; }
code, pre { font: 13px/1.45 ui-monospace, monospace; }
pre { overflow: auto; padding: .7rem; background: color-mix(in srgb, currentColor 7%, transparent); }
b { display: inline-block; min-width: 4.5em; }
`

/** Nothing is loaded and nothing runs: the page is its own text, and one style that is known by its digest. */
export const PAGE_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

/** The document for people: every route with what goes in and comes out, and the schemas by name. */
export function pageText(version: string): string {
  const document = documentOf(version)
  const { schemas } = document.components as { schemas: Record<string, JsonSchema> }
  const routes = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  )
  const tags = [...new Set(routes.map(({ operation }) => tagOf(operation)))]
  const sections = tags.map((tag) => {
    const own = routes.filter(({ operation }) => tagOf(operation) === tag)
    return `<h2>${escaped(tag)}</h2>${own.map(routeText).join('')}`
  })
  const named = Object.entries(schemas).map(
    ([name, schema]) =>
      `<details id="${escaped(name)}"><summary><code>${escaped(name)}</code></summary>${block(schema)}</details>`,
  )
  return [
    '<!doctype html><html lang="en"><head><meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    `<title>Fitment API</title><style>${STYLE}</style></head><body><main>`,
    `<h1>Fitment API ${escaped(version)}</h1>`,
    `<p>${escaped(String((document.info as { description: string }).description))}</p>`,
    '<p>The same as <a href="openapi.json">OpenAPI 3.1</a>.</p>',
    ...sections,
    '<h2>schemas</h2>',
    ...named,
    '</main></body></html>',
  ].join('\n')
}

interface RouteText {
  readonly path: string
  readonly method: string
  readonly operation: JsonSchema
}

function routeText({ path, method, operation }: RouteText): string {
  const { summary, operationId, tags: _, ...rest } = operation
  const line = `<b>${method.toUpperCase()}</b> <code>${escaped(path)}</code> ${escaped(String(summary))}`
  return `<details id="${escaped(String(operationId))}"><summary>${line}</summary>${block(rest)}</details>`
}

function tagOf({ tags }: JsonSchema): string {
  return Array.isArray(tags) ? String(tags[0]) : ''
}

function block(value: unknown): string {
  return `<pre>${linked(escaped(JSON.stringify(value, null, 2)))}</pre>`
}

function linked(text: string): string {
  return text.replace(/#\/components\/schemas\/(\w+)/g, '<a href="#$1">$&</a>')
}

function escaped(text: string): string {
  const as: Readonly<Record<string, string>> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
  }
  return text.replace(/[&<>"]/g, (found) => as[found] ?? found)
}
