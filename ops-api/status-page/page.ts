import { calmText, hintsOf } from './hints.ts';
import { Html, html } from './html.ts';
import { type Latest, nodesOf, type Status } from './status.ts';
import { script, style } from './style.ts';
import { trend } from './trend.ts';
import { countText, due, levelText, minuteText, number, span } from './words.ts';

/** The whole page for one team at one moment. */
export function page(status: Status, now: Date, nonce: string): Html {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>CWA status</title>
<link rel="icon" href="data:,">
<style nonce="${nonce}">${new Html(style)}</style>
</head>
<body>
<header>
<h1>CWA status</h1>
<span>${status.me.team}</span>
<span class="quiet">${minuteText(now.toISOString())} UTC</span>
<label><input type="checkbox" id="refresh" checked> refresh every minute</label>
</header>
<main>
${hintsPart(status)}
${distributionPart(status, now)}
${chartsPart(status)}
${servicesPart(status)}
${labsPart(status)}
${certificatesPart(status)}
${securityPart(status)}
</main>
<footer class="quiet">Counts leave the processes in steps once a minute; small groups are hidden. “few”: too few to tell. “–”: nothing known.</footer>
<script nonce="${nonce}">${new Html(script)}</script>
</body>
</html>
`;
}

function hintsPart(status: Status): Html {
  const hints = hintsOf(status);
  if (hints.length === 0) return html`<p class="good">${calmText(status)}</p>`;
  const items = hints.map(({ text, runbook }) => html`<li>${text} <span class="quiet">Runbook: ${runbook}</span></li>`);
  return html`<h2>To look at</h2><ul class="hints">${items}</ul>`;
}

interface Fact {
  readonly name: string;
  readonly value: string;
}

const factsOf = (facts: readonly Fact[]): Html =>
  html`<dl class="grid">${facts.map(({ name, value }) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;

const ago = (seconds: number): string => `${span(seconds)} ago`;

function distributionPart({ distribution, probe, intake }: Status, now: Date): Html | undefined {
  if (distribution === null) return undefined;
  const [last] = nodesOf(distribution.runs);
  const fact = (name: string, level: Latest | undefined, words: (value: number) => string): Fact => ({
    name,
    value: level === undefined ? '–' : levelText(level, words, now),
  });
  const ages = distribution.packageAge.map(({ name, level }) => fact(`Newest ${name} package ended`, level, ago));
  const facts: Fact[] = [
    ...ages,
    fact('Last good run', distribution.lastRunAge, ago),
    ...(last ? [{ name: 'Last run', value: `${last.outcome}, ${span(last.durationSeconds)}` }] : []),
    fact('Next run', distribution.nextRun, due),
    fact('Keys waiting', distribution.keysWaiting, number),
    fact('Probe went well', probe?.successAge, ago),
    fact('Share of fakes', intake?.fakeShare, (share) => `about ${Math.round(share * 100)} %`),
  ];
  return html`<h2>Publishing</h2>${factsOf(facts)}`;
}

function chartsPart({ intake, verification }: Status): Html | undefined {
  const results = verification?.results.filter(({ result }) => result !== 'pending' && result !== 'redeemed') ?? [];
  const slots = results[0]?.count.points ?? [];
  const stored = slots.map(({ at }, slot) => {
    const known = results.flatMap(({ count }) => count.points[slot]?.value ?? []);
    return { at, value: known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0) };
  });
  const charts = [
    ...(intake ? [trend('Uploads accepted', intake.uploadsAccepted.points)] : []),
    ...(intake ? [trend('Downloads from the origin', intake.downloads.points)] : []),
    ...(verification ? [trend('Test results, as far as told', stored)] : []),
  ];
  if (charts.length === 0) return undefined;
  return html`<h2>Last 24 hours</h2><div class="charts">${charts}</div>${verification ? verificationFacts(verification) : ''}`;
}

function verificationFacts({ registrations, tans }: NonNullable<Status['verification']>): Html {
  const facts = [
    ...registrations.flatMap(({ keyType, byOutcome }) =>
      byOutcome.map(({ name, count }) => ({ name: `Registrations by ${keyType}, ${name}`, value: countText(count) })),
    ),
    ...tans.map(({ name, count }) => ({ name: `TANs ${name}`, value: countText(count) })),
  ];
  return html`<h2>Verification, last 24 hours</h2>${factsOf(facts)}`;
}

const tones: Readonly<Record<string, string>> = { UP: 'good', DEGRADED: 'warn', DOWN: 'bad', NOT_CONFIGURED: 'quiet' };

/** Of a commit what tells it from others; nothing where the build did not say it. */
const short = (commit: string | null | undefined): string => (commit && commit !== 'unknown' ? commit.slice(0, 8) : '');

function servicesPart({ services, capacity }: Status): Html | undefined {
  if (services === null) return undefined;
  const used = new Map(nodesOf(capacity).map(({ process, usedPercent }) => [process, usedPercent]));
  const rows = nodesOf(services).flatMap(({ name, health, instances }) => {
    const list = nodesOf(instances);
    const first = list[0];
    const percent = used.get(name);
    const up = list.filter(({ health }) => health === 'UP' || health === 'DEGRADED').length;
    const seen = health === 'DOWN' && first?.lastSeen ? `last seen ${minuteText(first.lastSeen)}` : '';
    return html`<tr><th scope="row">${name}</th><td class="${tones[health] ?? 'quiet'}">${health.toLowerCase().replace('_', ' ')}</td><td>${up} of ${list.length}</td><td>${first?.version ?? '–'} ${short(first?.commit)}</td><td>${first?.uptimeSeconds == null ? seen || '–' : span(first.uptimeSeconds)}</td><td>${percent == null ? '–' : `${percent.toFixed(1)} %`}</td></tr>`;
  });
  return tableOf('Processes', ['Process', 'Health', 'Replicas', 'Version', 'Running for', 'CPU'], rows);
}

function labsPart({ labs }: Status): Html | undefined {
  if (labs === null) return undefined;
  const rows = nodesOf(labs.partners).map(
    ({ name, resultsStored }) => html`<tr><th scope="row">${name}</th><td>${countText(resultsStored)}</td></tr>`,
  );
  return tableOf('Partners, last 7 full days', ['Partner', 'Results stored'], rows);
}

function certificatesPart({ certificates }: Status): Html | undefined {
  if (certificates === null) return undefined;
  const rows = nodesOf(certificates).map(
    ({ process, name, remainingDays }) =>
      html`<tr><th scope="row">${process}</th><td>${name}</td><td>${span(remainingDays * 86_400)}</td></tr>`,
  );
  return tableOf('Certificates that end first', ['Process', 'Certificate', 'Ends in'], rows);
}

function securityPart({ security }: Status): Html | undefined {
  if (security === null) return undefined;
  const rows = nodesOf(security.events).map(
    ({ process, kind, count }) =>
      html`<tr><th scope="row">${process}</th><td>${kind}</td><td>${countText(count)}</td></tr>`,
  );
  return tableOf('Security events, last 24 hours', ['Process', 'Kind', 'Events'], rows);
}

function tableOf(title: string, heads: readonly string[], rows: readonly Html[]): Html {
  if (rows.length === 0) return html`<h2>${title}</h2><p class="quiet">none</p>`;
  const columns = heads.map((head) => html`<th scope="col">${head}</th>`);
  return html`<h2>${title}</h2><div class="wide" tabindex="0" role="region" aria-label="${title}"><table><thead><tr>${columns}</tr></thead><tbody>${rows}</tbody></table></div>`;
}
