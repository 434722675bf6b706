import { existsSync, mkdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { type Browser, chromium, type Page } from 'playwright-core'
import type { Test } from 'tap'

/** Debian's; elsewhere whatever FITMENT_CHROMIUM names. */
const CHROMIUM = process.env.FITMENT_CHROMIUM ?? '/usr/bin/chromium'

/** Why no page can be driven here; undefined: it can. */
export const noBrowser: string | undefined = existsSync(CHROMIUM)
  ? undefined
  : `no browser at ${CHROMIUM}: apt-get install chromium, or name one with FITMENT_CHROMIUM`

/** Where pictures are left to be looked at. */
const PICTURES = join(process.cwd(), '.build', 'console')

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js')
/** On a machine that does other things too. */
const PATIENCE_MS = 180_000
const WIDTHS = { wide: { width: 1440, height: 900 }, narrow: { width: 360, height: 740 } } as const
const THEMES = ['light', 'dark'] as const

/** Code of the page is text here: these files know of no document. */
const BEYOND = 'document.documentElement.scrollWidth - document.documentElement.clientWidth'

/** What a page did that it must not do: errors, refusals of the policy. Filled while it is driven. */
export interface Watched {
  readonly page: Page
  readonly wrong: string[]
}

export async function launch(t: Test): Promise<Browser> {
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] })
  t.teardown(() => browser.close())
  return browser
}

export async function openPage(browser: Browser, link: string): Promise<Watched> {
  const context = await browser.newContext({ viewport: WIDTHS.wide })
  const page = await context.newPage()
  page.setDefaultTimeout(PATIENCE_MS)
  const wrong: string[] = []
  page.on('pageerror', (error) => wrong.push(`${error.message}`))
  page.on('console', (message) => {
    // A refusal of the policy is an error of the console; so is an answer that says 401, which some pages ask for.
    if (/Content Security Policy|Trusted Type/i.test(message.text())) wrong.push(message.text())
  })
  await page.goto(link)
  // Signed in: on a busy machine that takes its time.
  await page.getByRole('navigation', { name: 'Console' }).waitFor()
  return { page, wrong }
}

/** Findings of axe that are serious or worse, in words. */
export async function seriousFindings(page: Page): Promise<string[]> {
  // By the protocol, which the page's policy does not bind: the page itself could not load it.
  await page.evaluate(await readFile(AXE, 'utf8'))
  const { violations } = await page.evaluate<AxeResult>('axe.run()')
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(' | ')}`)
}

interface AxeResult {
  readonly violations: readonly {
    readonly id: string
    readonly impact: string
    readonly nodes: readonly { readonly html: string }[]
  }[]
}

/**
 * Holds a page to what every page promises, in both themes and at both widths, and leaves pictures of it: nothing
 * sticks out sideways, axe finds nothing serious.
 */
export async function inspect(t: Test, { page, wrong }: Watched, name: string): Promise<void> {
  mkdirSync(PICTURES, { recursive: true })
  for (const [width, size] of Object.entries(WIDTHS)) {
    await page.setViewportSize(size)
    for (const theme of THEMES) {
      await page.emulateMedia({ colorScheme: theme })
      await page.waitForTimeout(150)
      const path = join(PICTURES, `${name}-${width}-${theme}.png`)
      await page.screenshot({ path, fullPage: true })
      t.strictSame(await seriousFindings(page), [], `${name}, ${width}, ${theme}: axe`)
    }
    const beyond = await page.evaluate<number>(BEYOND)
    t.ok(beyond <= 0, `${name}, ${width}: ${beyond} px stick out`)
  }
  t.strictSame(wrong.splice(0), [], `${name}: errors and refusals of the policy`)
  await page.setViewportSize(WIDTHS.wide)
  await page.emulateMedia({ colorScheme: 'light' })
}
