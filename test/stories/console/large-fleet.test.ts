import type { Page } from 'playwright-core'
import t from 'tap'
import { inspect, launch, noBrowser, openPage } from './browser.ts'
import { DEVICES, largeFleet, MARKUP, SAMPLES } from './large-fleet.ts'

/** Every page over ten thousand devices, and what happens to a page whose token, planner or network goes away. */
t.setTimeout(1_800_000)

const LIST = "document.querySelector('.list-body')"
const rows = (page: Page) => page.locator('.list-row')

t.test('ten thousand devices', { skip: noBrowser ?? false }, async (t) => {
  const fleet = await largeFleet(t)
  const browser = await launch(t)
  const watched = await openPage(browser, await fleet.link('/fleet'))
  const { page } = watched

  await t.test('the list is of all, and only rows in sight exist', async (t) => {
    await page.getByText('10 000 devices', { exact: false }).first().waitFor()
    t.equal(await page.getAttribute('table.list', 'aria-rowcount'), String(DEVICES + 1))
    t.ok((await rows(page).count()) < 80)
    t.equal(await page.title(), 'Fleet · Fitment')
    await inspect(t, watched, 'fleet')
  })

  await t.test('it scrolls to its end, and by keyboard', async (t) => {
    const list = page.locator('.list-body')
    const height = () => page.evaluate<number>(`${LIST}.scrollHeight`)
    const before = await height()
    for (const share of [0.1, 0.4, 0.8, 1]) {
      await page.evaluate(`${LIST}.scrollTop = ${LIST}.scrollHeight * ${share}`)
      await page.waitForTimeout(60)
      t.ok((await rows(page).count()) < 80, 'no more rows than are in sight')
    }
    await page.getByText('press-09999').waitFor()
    t.equal(await height(), before, 'nothing jumps')
    await list.focus()
    await page.keyboard.press('Home')
    await page.getByText('press-00000').waitFor()
    // Long tasks are what makes a list stutter.
    const slowest = await page.evaluate<number>(SLOWEST_FRAME)
    t.comment(`slowest frame while it scrolls: ${slowest.toFixed(0)} ms`)
  })

  await t.test('filters are the planner’s, and stand in the link', async (t) => {
    await page.getByLabel('Search').fill('press-012')
    await page.getByText('100 devices found').waitFor()
    t.match(page.url(), /q=press-012/)
    await page.getByLabel('Labels').fill('site=hall-3')
    await page.waitForURL(/hall-3/)
    await page.getByLabel('State').selectOption('offline')
    await page.waitForURL(/state=offline/)
    await page.reload()
    t.equal(await page.getByLabel('Labels').inputValue(), 'site=hall-3')
    await page.getByLabel('Labels').fill('site=nowhere')
    await page.getByRole('alert').waitFor()
  })

  await t.test('text of a device is text', async (t) => {
    await page.goto(new URL('/devices/press-00001', fleet.url).href)
    await page.getByText(MARKUP).first().waitFor()
    t.equal(await page.locator('main img, main b').count(), 0)
    await inspect(t, watched, 'device')
  })

  await t.test('text of a model file is text', async (t) => {
    await page.goto(new URL('/models/motor', fleet.url).href)
    await page.getByRole('heading', { name: 'Layers that lost most' }).waitFor()
    await page.getByText('18.4 dB').waitFor()
    t.ok((await page.getByText(MARKUP).count()) >= 3, 'a finding, a reason and a layer')
    t.equal(await page.locator('main img, main b').count(), 0)
    t.equal(await page.title(), 'motor · Fitment')
    await inspect(t, watched, 'model-of-strangers')
  })

  await t.test('a device that leaves is seen to leave', async () => {
    await page.goto(new URL('/devices/press-00002', fleet.url).href)
    await page.getByText('online', { exact: true }).waitFor()
    const { store } = fleet.planner.conductor
    await store.recordDeath('press-00002', { start: 'start-1', connection: 1 })
    await page.getByText('offline', { exact: true }).waitFor()
  })

  await t.test('a rollout that a gate stopped says why', async (t) => {
    await page.goto(new URL('/rollouts', fleet.url).href)
    await page.getByRole('link', { name: 'motor r1' }).first().click()
    await page.getByText('4500 of 5000 devices succeeded').waitFor()
    await page.getByText('Failures by cause').waitFor()
    t.equal(await page.locator('.causes li').count(), 2)
    t.match(await page.locator('.list-body table').getAttribute('aria-rowcount'), '5001')
    await inspect(t, watched, 'rollout')
    await page.getByRole('combobox', { name: 'State' }).selectOption('failed')
    await page.locator('table[aria-rowcount="501"]').waitFor()
  })

  await t.test('captured samples are pictures, maps and curves', async (t) => {
    await page.goto(new URL('/health?model=motor', fleet.url).href)
    await page.getByRole('heading', { name: 'Captured samples' }).waitFor()
    t.equal(await page.locator('canvas').count(), 0, 'nobody looked yet')
    await page.getByRole('button', { name: 'Look at all' }).click()
    await page.locator('canvas').first().waitFor()
    t.match(page.url(), /samples=/)
    const label = await page.locator('canvas').first().getAttribute('aria-label')
    t.equal(label, 'x, 1×32×32×3, values 0 … 1')
    t.ok((await page.locator('canvas').count()) < 40, 'only rows in sight exist')
    t.same(await page.evaluate(FIRST_PICTURE), [0, 26, 89, 255], 'its first pixel, as it was sent')
    const list = page.locator('.list-body')
    await list.focus()
    // The next samples come as one nears the end of those that are here.
    while ((await page.getAttribute('table.list', 'aria-rowcount')) !== String(SAMPLES + 1)) {
      await page.keyboard.press('End')
      await page.waitForTimeout(200)
    }
    await page.keyboard.press('Home')
    await page.getByText('low-confidence', { exact: true }).first().waitFor()
    await page.getByRole('link', { name: 'press-01400' }).first().waitFor()
    await inspect(t, watched, 'samples-pictures')
    await page.goto(new URL('/health?model=hum&samples=press-00003', fleet.url).href)
    await page.locator('svg.map').first().waitFor()
    await page.locator('svg.plot .curve').first().waitFor()
    t.equal(await page.locator('.list-row', { hasText: 'press-00700' }).count(), 0)
    await inspect(t, watched, 'samples-plots')
  })

  await t.test('two operators on one rollout: the later is told what the first did', async (t) => {
    await page.goto(new URL('/rollouts', fleet.url).href)
    await page.getByRole('link', { name: 'motor r1' }).first().click()
    await page.getByRole('button', { name: 'Abort' }).waitFor()
    const path = new URL(page.url()).pathname
    const other = await openPage(browser, await fleet.link(path, { name: 'bob', role: 'operator' }))
    await other.page.getByRole('button', { name: 'Resume' }).click()
    await page.getByRole('button', { name: 'Abort' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Abort' }).click()
    await page.getByText('aborted', { exact: true }).waitFor()
    await other.page.getByText('aborted', { exact: true }).waitFor()
    t.equal(await other.page.getByRole('dialog').count(), 0, 'what was asked is no question now')
    t.equal(await other.page.getByRole('button', { name: 'Resume' }).count(), 0)
    const late = await fleet.ask('POST', '/api/v1/models/motor/rollout/resume', {
      body: { retry: false },
    })
    t.match(late, { status: 409 })
    await other.page.context().close()
  })

  for (const [name, path, word] of [
    ['rollouts', '/rollouts', 'motor r1'],
    ['health', '/health?model=motor', 'Latency P95'],
    ['models', '/models', 'motor'],
    ['audit', '/audit', 'operators.add'],
    ['keys', '/keys', 'release'],
    ['settings', '/settings', 'Operators'],
    ['add-model', '/add-model', 'Float model'],
    ['roll-out', '/models/motor/roll-out', 'Waves'],
  ] as const) {
    await t.test(`the page ${path}`, async (t) => {
      await page.goto(new URL(path, fleet.url).href)
      await page.locator('main').getByText(word).first().waitFor()
      await inspect(t, watched, name)
    })
  }

  await t.test('an offline browser is told, and goes on by itself', async (t) => {
    await page.goto(new URL('/fleet', fleet.url).href)
    await page.getByText('Live', { exact: true }).waitFor()
    await page.context().setOffline(true)
    await page.getByText('This browser is offline').waitFor()
    t.ok((await rows(page).count()) > 0, 'what was there stays')
    await page.context().setOffline(false)
    await page.getByText('Live', { exact: true }).waitFor()
  })

  await t.test('a token that is revoked ends an open page, on the same link', async (t) => {
    const viewer = await openPage(browser, await fleet.link('/fleet', { role: 'viewer' }))
    await viewer.page.getByText('reads only').waitFor()
    t.equal(await viewer.page.getByRole('button', { name: 'Invite a device' }).count(), 0)
    await viewer.page.getByLabel('Search').fill('press-01')
    await viewer.page.waitForURL(/q=press-01/)
    // Nobody clicks: the planner asks for the token behind an open stream from time to time, sooner or later than a click.
    await fleet.ask('DELETE', '/api/v1/operators/ann-viewer')
    await viewer.page.getByText('Your session is over').waitFor()
    t.match(viewer.page.url(), /\/fleet\?q=press-01/)
    await inspect(t, viewer, 'signed-out')
    await viewer.page.context().close()
  })

  await t.test(
    'a token that runs out ends an open page, and a new one brings it back',
    async (t) => {
      const visitor = { name: 'eve', role: 'viewer', lifetimeMs: 60_000 } as const
      const { page } = await openPage(browser, await fleet.link('/health?model=motor', visitor))
      await page.getByRole('button', { name: 'Show cleared ones too' }).click()
      await page.getByRole('button', { name: 'Raised ones only' }).waitFor()
      t.equal(
        await page.getByRole('button', { name: 'Look' }).count(),
        0,
        'samples are for operators',
      )
      const { clock } = fleet.planner
      clock.now = new Date(clock.now.getTime() + 61_000)
      await page.getByText('Your session is over').waitFor()
      t.match(page.url(), /\/health\?model=motor&alarms=all/)
      const token = await fleet.token('eve-again', 'viewer')
      await page.getByLabel('Operator’s token').fill(token)
      await page.getByRole('button', { name: 'Sign in' }).click()
      await page.getByRole('button', { name: 'Raised ones only' }).waitFor()
      t.match(page.url(), /\/health\?model=motor&alarms=all/, 'where it was')
    },
  )
})

/** The first pixel of the first picture. */
const FIRST_PICTURE = `(() => {
  const canvas = document.querySelector('canvas')
  return [...canvas.getContext('2d').getImageData(0, 0, 1, 1).data]
})()`

/** The longest that one frame took while the list was scrolled from end to end, ms. */
const SLOWEST_FRAME = `(async () => {
  const list = document.querySelector('.list-body')
  let slowest = 0
  let last = performance.now()
  for (let step = 0; step < 120; step += 1) {
    list.scrollTop = (list.scrollHeight * step) / 120
    await new Promise(requestAnimationFrame)
    const now = performance.now()
    slowest = Math.max(slowest, now - last)
    last = now
  }
  list.scrollTop = 0
  return slowest
})()`
