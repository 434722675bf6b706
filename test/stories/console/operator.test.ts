import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import t from 'tap'
import { connectPlanner } from '../../../planner/api/index.ts'
import { freePort } from '../../free-port.ts'
import { fewSamples, SMALL_MODEL } from '../../planner/variants/small-model.ts'
import { withWeights } from '../changed-model.ts'
import { fitment } from '../command-line.ts'
import { Running, until } from '../running.ts'
import { inspect, launch, noBrowser, openPage } from './browser.ts'

/** An operator's day in the console, over a real planner and two real agents: nothing is typed on a command line. */
t.setTimeout(900_000)
const PATIENCE_MS = 600_000

t.test('adds, measures, rolls out, rolls back', { skip: noBrowser ?? false }, async (t) => {
  const dir = t.testdir({})
  const data = join(dir, 'planner')
  const planner = connectPlanner(data)
  const running = new Running(t)
  // The console's place must be the same after a restart.
  const port = String(await freePort())
  const flags = ['--api-host', '127.0.0.1', '--api-port', port, '--api-plain']
  const serve = () => running.serve(data, '--port', '0', '--probe-ms', '200', ...flags)
  const address = await serve()
  const devices = ['press-1', 'press-2']
  const agents = (to: typeof address) =>
    devices.map((name) =>
      running.agent(name, join(dir, name), to, ['--threads', '1', '--runtimes', 'litert']),
    )
  const started = agents(address)
  const files = {
    calibration: join(dir, 'calibration.npz'),
    test: join(dir, 'test.npz'),
    second: join(dir, 'second.tflite'),
  }
  writeFileSync(files.calibration, await fewSamples('calibration', 16))
  writeFileSync(files.test, await fewSamples('test', 60))
  writeFileSync(
    files.second,
    withWeights((weight) => weight * 1.0001),
  )

  const opened = await fitment('open', '--print', '--data', data)
  t.equal(opened.code, 0, opened.err)
  const browser = await launch(t)
  const watched = await openPage(browser, opened.out.trim())
  const { page } = watched
  page.setDefaultTimeout(PATIENCE_MS)
  await page.getByText('2 devices · 2 online').waitFor()
  t.notMatch(page.url(), /token/, 'the token is gone from the link')

  await addModel(page, SMALL_MODEL, files)
  await page.getByRole('button', { name: 'Measure' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Measure' }).click()
  await page.locator('tr.chosen').waitFor()
  await page.getByRole('img', { name: /variants by latency/ }).waitFor()
  await inspect(t, watched, 'model')

  await rollOut(page)
  await stateOf(page, 'done')
  await until('both devices', async () => {
    const all = await planner.call('devices.list', {})
    return all.every(({ installed }) => installed.some(({ active }) => active)) || undefined
  })

  await page.getByRole('link', { name: 'Models' }).first().click()
  await page.getByRole('link', { name: 'motor' }).click()
  await page.getByRole('link', { name: 'New revision' }).click()
  await addModel(page, files.second, files)
  await page.getByText('revision 2').waitFor()
  await page.getByRole('button', { name: 'Measure' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Measure' }).click()
  await page.locator('tr.chosen').waitFor()
  await rollOut(page)
  await stateOf(page, 'done')
  await page.getByRole('link', { name: 'motor r2' }).click()
  await page.getByRole('heading', { name: 'Gates of wave 2' }).waitFor()
  await inspect(t, watched, 'small-rollout')

  await page.getByRole('button', { name: 'Roll back' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Roll back' }).click()
  await page.locator('tbody tr').first().getByText('motor r1').waitFor()
  await stateOf(page, 'done')
  t.match(await planner.call('models.history', { model: 'motor' }), [
    { revision: 2, devices: 0 },
    { revision: 1, inUse: true, devices: 2 },
  ])

  await page.getByRole('link', { name: 'Models' }).first().click()
  await page.getByRole('link', { name: 'motor' }).click()
  await page.getByRole('button', { name: 'Compare' }).click()
  await page.getByText('What each class gets').waitFor()
  await inspect(t, watched, 'compare')

  await t.test('a planner that restarts under the page is found again', async () => {
    await page.getByRole('link', { name: 'Fleet' }).first().click()
    await page.getByText('Live', { exact: true }).waitFor()
    address.child.kill('SIGKILL')
    await page.getByText('The planner does not answer').first().waitFor()
    for (const agent of started) agent.kill('SIGKILL')
    agents(await serve())
    await page.getByText('Live', { exact: true }).waitFor()
    await page.getByText('2 devices · 2 online').waitFor()
  })
  await running.stop()
})

interface Files {
  readonly calibration: string
  readonly test: string
}

async function addModel(page: Page, model: string, { calibration, test }: Files): Promise<void> {
  if (!page.url().includes('/add-model')) {
    await page.getByRole('link', { name: 'Models' }).first().click()
    await page.getByRole('link', { name: 'Add a model' }).click()
    await page.getByLabel('Name', { exact: true }).fill('motor')
  }
  await page.getByLabel('Float model').setInputFiles(model)
  await page.getByLabel('Calibration samples').setInputFiles(calibration)
  await page.getByLabel('Test samples').setInputFiles(test)
  await page.getByLabel('Accuracy that may be lost').fill('5')
  // So small a limit leaves few candidates to build and measure.
  await page.getByLabel('Largest file').fill('68')
  await page.getByRole('button', { name: 'Add', exact: true }).click()
  await page.waitForURL(/\/models\/motor$/)
}

async function rollOut(page: Page): Promise<void> {
  await page.getByRole('link', { name: 'Roll out' }).click()
  await page.getByLabel('Waves', { exact: true }).fill('1, 100%')
  await page.getByLabel('Choose from measurements of disturbed devices too').check()
  await page.getByRole('button', { name: 'Begin' }).click()
  await page.waitForURL(/\/rollouts\?model=motor/)
}

/** Of the newest rollout, which is listed first. */
async function stateOf(page: Page, state: string): Promise<void> {
  await page.locator('tbody tr').first().getByText(state, { exact: true }).waitFor()
}
