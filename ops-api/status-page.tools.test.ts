import { existsSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startOps } from './fixtures/start-ops.ts';
import { type Team, teams } from './teams.ts';

const executablePath = '/usr/bin/chromium';
const hasChromium = existsSync(executablePath);
if (!hasChromium) console.warn('skipped: the status page in a browser; chromium is not installed');

/** Pictures for people who want to see it; the two of docs/images were taken here. */
const pictures = process.env['SCREENSHOTS'] || join(tmpdir(), 'cwa-screenshots');

let ops: Awaited<ReturnType<typeof startOps>>;
let browser: Browser;
const origin = (): string => `https://localhost:${ops.port}`;

describe.skipIf(!hasChromium)('in Chromium', () => {
  beforeAll(async () => {
    mkdirSync(pictures, { recursive: true });
    ops = await startOps({ env: { OPS_API_GRAPHIQL: 'true' } });
    browser = await chromium.launch({
      executablePath,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    });
  });
  afterAll(async () => {
    await browser?.close();
    await ops?.close();
  });

  /** A page that uses the team's certificate, and every request it made. */
  async function open(team: Team, options: BrowserContextOptions = {}) {
    const { cert, key } = await ops.ofTeam(team);
    const context: BrowserContext = await browser.newContext({
      ignoreHTTPSErrors: true,
      clientCertificates: [{ origin: origin(), cert: Buffer.from(cert), key: Buffer.from(key) }],
      ...options,
    });
    const page: Page = await context.newPage();
    const requested: string[] = [];
    const faults: string[] = [];
    page.on('request', (request) => void requested.push(request.url()));
    page.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
    page.on('pageerror', (error) => void faults.push(error.message));
    return { context, page, requested, faults };
  }
  const elsewhere = (urls: readonly string[]): string[] =>
    urls.filter((url) => !new RegExp(`^(${origin()}/|data:|blob:)`).test(url));

  test.each(teams)('%s: the page is whole, accessible in light and dark, and asks nobody else', async (team) => {
    for (const colorScheme of ['light', 'dark'] as const) {
      const { context, page, requested, faults } = await open(team, { colorScheme });
      const answer = await page.goto(`${origin()}/`);
      expect(answer?.status()).toBe(200);
      expect(await page.locator('h1').textContent()).toBe('CWA status');
      const { violations } = await new AxeBuilder({ page }).analyze();
      expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([]);
      expect(elsewhere(requested)).toEqual([]);
      expect(faults).toEqual([]);
      await context.close();
    }
  });

  test('it can be read on a phone: nothing is wider than the screen', async () => {
    const { context, page } = await open('ops-cwa', { viewport: { width: 360, height: 740 } });
    await page.goto(`${origin()}/`);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(360);
    await context.close();
  });

  test('it loads itself anew every minute while its box is ticked', async () => {
    const { context, page, requested } = await open('ops-infrastructure');
    await page.clock.install();
    await page.goto(`${origin()}/`);
    await page.clock.fastForward(61_000);
    await expect.poll(() => requested.filter((url) => url === `${origin()}/`).length).toBe(2);
    await page.waitForLoadState();
    await page.locator('#refresh').uncheck();
    await page.clock.fastForward(121_000);
    expect(requested.filter((url) => url === `${origin()}/`)).toHaveLength(2);
    await context.close();
  });

  test('a picture of it', async () => {
    const { context, page } = await open('ops-cwa', { viewport: { width: 1_100, height: 900 } });
    await page.goto(`${origin()}/`);
    await page.screenshot({ path: join(pictures, 'ops-status.png') });
    await context.close();
  });

  test('GraphiQL runs from this origin alone, and shows what a query answers', async () => {
    const { context, page, requested, faults } = await open('ops-cwa', { viewport: { width: 1_200, height: 720 } });
    await page.goto(`${origin()}/graphql`);
    await page
      .getByRole('button', { name: /execute query/i })
      .first()
      .click();
    await page.getByText('ops-cwa').first().waitFor();
    await page
      .getByRole('button', { name: /show documentation explorer/i })
      .first()
      .click();
    await page.screenshot({ path: join(pictures, 'graphiql.png') });
    await page.locator('.graphiql-doc-explorer').getByText('Query', { exact: true }).last().click();
    await page.getByText('What operators may ask').first().waitFor();

    await page.screenshot({ path: join(pictures, 'graphiql.png') });
    expect(elsewhere(requested)).toEqual([]);
    expect(faults).toEqual([]);
    await context.close();
  });

  test('without a certificate the browser gets nothing', async () => {
    const context = await browser.newContext({ ignoreHTTPSErrors: true });
    const page = await context.newPage();
    const answer = await page.goto(`${origin()}/`).catch((error: Error) => error.message);
    if (typeof answer === 'string') expect(answer).toContain('ERR_HTTP_RESPONSE_CODE_FAILURE');
    else expect(answer?.status()).toBe(401);
    await context.close();
  });
});
