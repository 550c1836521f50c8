import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { filledOps } from '../fixtures/filled.ts';
import { readOperations } from '../persisted-operations.ts';
import { buildSchema } from '../schema/schema.ts';
import { loadServices } from '../service.ts';
import { type Team, teams } from '../teams.ts';
import { calmText, hintsOf } from './hints.ts';
import { Html, html } from './html.ts';
import { statusPage } from './status-page.ts';
import type { Status } from './status.ts';
import { trend } from './trend.ts';
import { countText, due, levelText, number, span } from './words.ts';

let ops: Awaited<ReturnType<typeof filledOps>>;
const pages = new Map<Team, string>();
beforeAll(async () => {
  const services = await loadServices(join(import.meta.dirname, '..', 'services'));
  ops = await filledOps(services);
  const page = statusPage(buildSchema(services), readOperations());
  for (const team of teams) pages.set(team, await page(ops.contextOf(team), 'the-nonce'));
});
const pageOf = (team: Team): string => pages.get(team) ?? '';

test('what is put in is escaped, HTML is not', () => {
  const evil = `<script>alert("1")</script> & 'x'`;
  const { text } =
    html`<p title="${evil}">${evil}${new Html('<b>bold</b>')}${[html`<i>${'<'}</i>`]}${null}${undefined}${false}${0}</p>`;
  expect(text).not.toContain('<script>');
  expect(text).toContain('&#60;script&#62;alert(&#34;1&#34;)&#60;/script&#62; &#38; &#39;x&#39;');
  expect(text).toContain('<b>bold</b><i>&#60;</i>0</p>');
});

test.each([
  [0, '0 s'],
  [59, '59 s'],
  [60, '1 min'],
  [119, '1 min'],
  [4_500, '1 h 15 min'],
  [7_800, '2 h 10 min'],
  [7_200, '2 h'],
  [90_000, '1 d 1 h'],
  [-5, '0 s'],
])('%d seconds are %s', (seconds, text) => expect(span(seconds)).toBe(text));

test('what is late is not called due', () => {
  expect([due(3_540), due(0), due(-600)]).toEqual(['in 59 min', 'in 0 s', 'late by 10 min']);
});

test('a level says since when nothing newer is known, where that is longer than polls take', () => {
  const now = new Date('2026-03-02T12:30:20Z');
  const textOf = (latest: number | null, asOf: string | null) => levelText({ latest, asOf }, number, now);
  expect(textOf(1_500, '2026-03-02T12:28:00.000Z')).toBe('1,500');
  expect(textOf(1_500, '2026-03-02T12:04:00.000Z')).toBe('1,500, as of 2026-03-02 12:04');
  expect(textOf(null, null)).toBe('–');
});

test('a hidden count is few, an unknown one a dash, a lower bound says so', () => {
  expect(countText({ total: null, suppressed: true })).toBe('few');
  expect(countText({ total: null })).toBe('–');
  expect(countText({ total: 1_500, atLeast: true })).toBe('≥ 1,500');
});

test('a chart of nothing is a chart', () => {
  expect(trend('Nothing', []).text).toContain('nothing known yet');
  expect(trend('Zero', [{ at: '2026-03-01T10:00:00Z', value: 0 }]).text).toContain('0 in 24 h');
});

describe('hints', () => {
  const nothing: Status = {
    me: { team: 'ops-cwa' },
    services: null,
    certificates: null,
    capacity: null,
    intake: null,
    distribution: null,
    probe: null,
    lately: null,
    verification: null,
    labs: null,
    security: null,
  };
  const replica = {
    health: 'UP',
    version: null,
    commit: null,
    uptimeSeconds: null,
    lastSeen: null,
    dependencies: [],
  };
  const failed = (total: number): Status => ({
    ...nothing,
    lately: { steps: [{ name: 'register', byOutcome: [{ name: 'failed', count: { total } }] }] },
  });
  const health = (state: string): Status => ({
    ...nothing,
    services: { edges: [{ node: { name: 'gateway', health: state, instances: { edges: [] } } }] },
  });

  test('a step of the journey that fails twice is told at once; one failure may be a stroke of bad luck', () => {
    expect(hintsOf(failed(1))).toEqual([]);
    const text = 'The step register of the synthetic journey failed 2 times within 15 minutes.';
    expect(hintsOf(failed(2))).toEqual([{ text, runbook: 'ProbeStepFailing' }]);
  });

  test('who is down comes before those who cannot do without it', () => {
    const service = (name: string, health: string, needs: string[]) => ({
      node: { name, health, instances: { edges: needs.map((need) => ({ node: lacking(need) })) } },
    });
    const lacking = (name: string) => ({ ...replica, health: 'DEGRADED', dependencies: [{ name, up: false }] });
    const services = { edges: [service('gateway', 'DEGRADED', ['test-result']), service('test-result', 'DOWN', [])] };
    expect(hintsOf({ ...nothing, services }).map(({ text }) => text)).toEqual([
      'test-result does not answer.',
      'gateway cannot use test-result.',
    ]);
  });

  test('that no run is known is told once there must have been one', () => {
    const level = { latest: null, asOf: null };
    const distribution = {
      runs: { edges: [] },
      lastRunAge: level,
      nextRun: level,
      keysWaiting: level,
      packageAge: [],
    };
    const hints = (uptimeSeconds: number) => {
      const instances = { edges: [{ node: { ...replica, uptimeSeconds } }] };
      const services = { edges: [{ node: { name: 'distribution', health: 'UP', instances } }] };
      return hintsOf({ ...nothing, services, distribution });
    };
    expect(hints(60)).toEqual([]);
    expect(calmText({ ...nothing, distribution })).toBe('Nothing to look at in what is known so far.');
    const known = { ...distribution, lastRunAge: { latest: 60, asOf: '2026-03-02T12:04:00.000Z' } };
    expect(calmText({ ...nothing, distribution: known })).toBe('All as expected.');
    expect(calmText(health('AWAITED'))).toBe('Nothing to look at in what is known so far.');
    const text = 'No run of distribution that ended well is known.';
    expect(hints(2 * 3_600)).toEqual([{ text, runbook: 'DistributionRunMissing' }]);
  });

  test('what starts still is no alarm, what is down is', () => {
    expect(hintsOf(health('AWAITED'))).toEqual([]);
    expect(hintsOf(health('DOWN'))).toEqual([{ text: 'gateway does not answer.', runbook: 'ProcessDown' }]);
  });
});

describe('the page', () => {
  test('says in words what is not as expected, and where to read on', () => {
    expect(pageOf('ops-cwa')).toContain('The newest hour package is 2 h 10 min old; expected below 1 h 15 min.');
    expect(pageOf('ops-cwa')).toContain('Runbook: NewestPackageTooOld');
    expect(pageOf('ops-cwa')).toContain('prober does not answer.');
    expect(pageOf('ops-cwa')).toContain('gateway used 85 % of connections within 24 hours.');
    expect(pageOf('ops-security')).toContain('gateway reported caller-refused 24 times within 24 hours.');
    expect(pageOf('ops-cwa')).toContain('last seen 2026-03-02 12:30');
  });

  test('shows each team its own alone', () => {
    const parts = [
      'Publishing',
      'Uploads accepted',
      'Processes',
      'Partners, last 7',
      'Test results',
      'Security events',
      'Certificates that end first',
    ];
    const seen = Object.fromEntries(teams.map((team) => [team, parts.filter((part) => pageOf(team).includes(part))]));
    expect(seen).toEqual({
      'ops-cwa': ['Publishing', 'Uploads accepted', 'Processes', 'Certificates that end first'],
      'ops-verification': ['Processes', 'Partners, last 7', 'Test results', 'Certificates that end first'],
      'ops-infrastructure': ['Processes', 'Certificates that end first'],
      'ops-security': ['Security events', 'Certificates that end first'],
    });
    expect(pageOf('ops-verification')).not.toMatch(/prober|distribution|gateway/);
  });

  test('refers to nothing outside, and its script and style bear the nonce', () => {
    for (const team of teams) {
      const text = pageOf(team);
      expect(text).not.toMatch(/https?:\/\//);
      expect([...text.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, target]) => target)).toEqual(['data:,']);
      expect(text.match(/<(script|style)\b/g)).toHaveLength(2);
      expect(text.match(/<(script|style) nonce="the-nonce">/g)).toHaveLength(2);
      expect(text).not.toMatch(/ style="| on\w+="/);
    }
  });
});
