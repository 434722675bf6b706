import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import t from 'tap'
import { connectPlanner } from '../../../planner/api/index.ts'
import { freePort } from '../../free-port.ts'
import { fewSamples, SMALL_MODEL } from '../../planner/variants/small-model.ts'
import { withWeights } from '../changed-model.ts'
import { fitment } from '../command-line.ts'
import { type Address, Running, until } from '../running.ts'
import { inspect, launch, noBrowser, openPage } from './browser.ts'

/** An operator's day in the console, over a real planner and real agents: nothing is typed on a command line. */
t.setTimeout(1_200_000)
const PATIENCE_MS = 600_000

/** A device on which a model's process goes down as soon as it begins its self-test, as a bad driver or bad memory has it. */
const FAULTS = {
  'press-2': 'process.abort()',
  'press-3': 'process.exit(9)',
} as const
type Faulty = keyof typeof FAULTS

function faulty(device: Faulty): Record<string, string> {
  const isSelfTest = '/self-test-process/.test(process.argv[1])'
  return { NODE_OPTIONS: `--import=data:text/javascript,if(${isSelfTest})${FAULTS[device]}` }
}

t.test('from a model to a bad wave, and back', { skip: noBrowser ?? false }, async (t) => {
  const dir = t.testdir({})
  const data = join(dir, 'planner')
  const planner = connectPlanner(data)
  const running = new Running(t)
  // The console's place must be the same after a restart.
  const port = String(await freePort())
  const flags = ['--api-host', '127.0.0.1', '--api-port', port, '--api-plain']
  const serve = () => running.serve(data, '--port', '0', '--probe-ms', '200', ...flags)
  const address = await serve()
  const AGENT = ['--threads', '1', '--runtimes', 'litert']
  const start = (name: string, to: Address, environment?: Record<string, string>) =>
    running.agent(name, join(dir, name), to, AGENT, environment)
  // Two that measure: of three on one busy host the one that was disturbed least is not believed.
  const measuring = ['press-1', 'press-2'].map((name) => start(name, address))
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

  const online = (devices: number) =>
    until(`${devices} devices online`, async () => {
      const all = await planner.call('devices.list', {})
      return all.filter((device) => device.online).length === devices || undefined
    })
  const allRun = (revision: number, devices: number) =>
    until(`${devices} devices with revision ${revision}`, async () => {
      const all = await planner.call('devices.list', {})
      const have = all.filter(({ online, installed }) =>
        installed.some((slot) => slot.active && slot.revision === revision && online),
      )
      return have.length === devices || undefined
    })

  await addModel(page, SMALL_MODEL, files)
  await page.getByRole('button', { name: 'Measure' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Measure' }).click()
  await page.locator('tr.chosen').waitFor()
  await page.getByRole('img', { name: /variants by latency/ }).waitFor()
  await page.getByRole('heading', { name: 'Layers that lost most' }).waitFor()
  await page
    .getByText(/^\d+\.\d dB$/)
    .first()
    .waitFor()
  await inspect(t, watched, 'model')

  await rollOut(page, '1, 100%')
  await stateOf(page, 'done')
  await allRun(1, 2)

  await page.getByRole('link', { name: 'Models' }).first().click()
  await page.getByRole('link', { name: 'motor' }).click()
  await page.getByRole('link', { name: 'New revision' }).click()
  await addModel(page, files.second, files)
  await page.getByText('revision 2').waitFor()
  await page.getByRole('button', { name: 'Measure' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Measure' }).click()
  await page.locator('tr.chosen').waitFor()

  // A third one joins, and gets what its class has; then two turn bad.
  const third = start('press-3', address)
  await allRun(1, 3)
  for (const child of [measuring[1], third]) await ended(child)
  await page.getByRole('link', { name: 'Fleet' }).first().click()
  await page.getByText('3 devices · 1 online').waitFor()
  const bad = (['press-2', 'press-3'] as const).map((name) => start(name, address, faulty(name)))
  await page.getByText('3 devices · 3 online').waitFor()
  await page.getByRole('link', { name: 'Models' }).first().click()
  await page.getByRole('link', { name: 'motor' }).click()
  await rollOut(page, 'device=press-1, 100%')
  await page.getByRole('link', { name: 'motor r2' }).click()
  await t.test('a bad wave stops, and the page says why', async (t) => {
    await page.getByText(/^2 of 3 devices failed: at least \d+ % of the class would/).waitFor()
    await page.getByText('aborted', { exact: true }).waitFor()
    await page.getByRole('heading', { name: 'Failures by cause' }).waitFor()
    const causes = await page.locator('.causes li').allTextContents()
    t.match(causes.sort(), [/exit code 9 .*for example press-3/, /SIGABRT .*for example press-2/])
    await page.getByRole('heading', { name: 'Gates of wave 2' }).waitFor()
    await page.getByText('Stopped, devices get back what they had.').waitFor()
    await page.getByText('1 aside').first().waitFor()
    await page.getByText('2 failed').first().waitFor()
    await page.getByRole('cell', { name: /^2 of 2: at least/ }).waitFor()
    t.equal(await page.getByRole('button', { name: 'Resume' }).count(), 0, 'it is over')
    await inspect(t, watched, 'bad-wave')
    await page.getByRole('combobox', { name: 'Wave' }).selectOption('2')
    await page.locator('table[aria-rowcount="3"]').waitFor()
  })

  // Mended, they may go back too.
  for (const child of bad) await ended(child)
  await online(1)
  const mended = (['press-2', 'press-3'] as const).map((name) => start(name, address))
  await online(3)
  await page.getByRole('button', { name: 'Roll back' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Roll back' }).click()
  await page.locator('tbody tr').first().getByText('motor r1').waitFor()
  await stateOf(page, 'done')
  t.match(await planner.call('models.history', { model: 'motor' }), [
    { revision: 2, devices: 0 },
    { revision: 1, inUse: true, devices: 3 },
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
    for (const agent of [measuring[0], ...mended]) agent?.kill('SIGKILL')
    const again = await serve()
    for (const name of ['press-1', 'press-2', 'press-3']) start(name, again)
    await page.getByText('Live', { exact: true }).waitFor()
    await page.getByText('3 devices · 3 online').waitFor()
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

async function rollOut(page: Page, waves: string): Promise<void> {
  await page.getByRole('link', { name: 'Roll out' }).click()
  await page.getByLabel('Waves', { exact: true }).fill(waves)
  await page.getByLabel('Choose from measurements of disturbed devices too').check()
  await page.getByRole('button', { name: 'Begin' }).click()
  await page.waitForURL(/\/rollouts\?model=motor/)
}

async function ended(child: ChildProcess | undefined): Promise<void> {
  child?.kill('SIGKILL')
  if (child && child.exitCode === null && child.signalCode === null) await once(child, 'close')
}

/** Of the newest rollout, which is listed first. */
async function stateOf(page: Page, state: string): Promise<void> {
  await page.locator('tbody tr').first().getByText(state, { exact: true }).waitFor()
}
