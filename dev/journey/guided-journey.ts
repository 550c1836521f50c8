import { dayStartInterval, INTERVAL_SECONDS, intervalNumber } from '../../lib/exposure/intervals.ts';
import { secureRandom } from '../../lib/random/random.ts';
import { meet } from '../../phone/encounter.ts';
import type { ExchangeEvent } from '../../phone/http.ts';
import type { DownloadOutcome, Phone, Risk } from '../../phone/phone.ts';
import { RISK_LEVEL } from '../../phone/risk-v2.ts';
import type { Mesh } from '../mesh/mesh.ts';
import { openLab } from './lab.ts';
import { aGuid, inParallel, peopleOf } from './people.ts';
import type { Narrator } from './terminal.ts';

/**
 * Others who upload in the same hour: a package needs 140 keys of transmission risk level 3 and more, and one upload
 * holds six to eight of them. No rule is loosened for the journey.
 */
const others = 24;
const hourMs = 3_600_000;
/** Detections of one phone lie at least this far apart (P D-8). */
const detectionDistanceMs = 4 * hourMs;

/**
 * A real exposure notification, told step by step: a lab reports, phones upload, other phones are warned. Answers
 * whether every step held.
 */
export async function guidedJourney(mesh: Mesh, narrator: Narrator): Promise<boolean> {
  const story = storyOf(mesh, narrator);
  const people = peopleOf(mesh);
  const lab = openLab(mesh.home, mesh.ports.GATEWAY_PARTNER_PORT);
  try {
    const alice = people.phone(story.wire);
    const crowd = Array.from({ length: others }, () => people.phone());
    const [bob, carol, dave] = [people.phone(story.wire), people.phone(story.wire), people.phone()];

    story.step('Two days ago at noon Bob stood near Alice for 20 minutes, Carol for 2 minutes. Dave met nobody.');
    const today = dayStartInterval(intervalNumber(mesh.clock.nowMs() / 1000)) * INTERVAL_SECONDS;
    // Not yesterday: shortly after midnight yesterday's key is still under the two-hour embargo.
    const noon = today - 36 * 3600;
    meet(alice, bob, { startSeconds: noon, minutes: 20, attenuationDb: 40, random: secureRandom });
    // One regular scan falls into the two minutes: the phone must assume that Carol was near since the scan before.
    meet(alice, carol, {
      startSeconds: noon + 1_800,
      minutes: 2,
      attenuationDb: 40,
      random: secureRandom,
      scanJitterSeconds: 0,
    });

    story.step(`The laboratory reports ${others + 1} positive results, with its client certificate.`);
    const guids = Array.from({ length: others + 1 }, () => aGuid());
    const report = await lab.report(guids, 'positive');
    story.exchange('POST', '/api/v1/lab/results', report.requestBytes, report.status, 0, report.ms);
    story.check('the results are stored', report.status === 204);

    story.step('Alice scans the QR code of her test; her phone registers and asks for the result.');
    const registration = await alice.registerByQr(guids[0] ?? '');
    story.check('the result is positive', registration.registered && registration.testResult?.testResult === 2);

    story.step('Alice agrees to warn others; her phone gets a TAN and uploads the keys of the last days.');
    const upload = await alice.uploadKeys({ symptoms: { kind: 'symptoms-on-date', daysAgo: 2 }, earlyRelease: true });
    story.check(`${upload.keysSent} keys are accepted`, upload.accepted);

    story.step(`${others} other people who tested positive do the same.`);
    let accepted = 0;
    await inParallel(crowd, others, async (phone, index) => {
      await phone.registerByQr(guids[index + 1] ?? '');
      const { accepted: ok } = await phone.uploadKeys({ symptoms: { kind: 'symptoms-no-date' }, earlyRelease: true });
      if (ok) accepted++;
    });
    story.check(`${accepted} uploads are accepted`, accepted === others);

    const before = await mesh.distributionReport();
    story.step('The hour ends; distribution signs the first package that holds at least 140 keys.');
    let published = 0;
    for (let hours = 0; hours < 30 && published === 0; hours++) {
      await mesh.advanceTo(nextHour(mesh), story.hour);
      published = (await mesh.distributionReport()).keysPublished - before.keysPublished;
    }
    const waiting = (await mesh.distributionReport()).keysWaiting;
    story.say(`${published} keys published; ${waiting} wait: they were valid until a moment ago, or are too few`);
    story.check('a package was published', published >= 140);

    story.step("Bob's phone downloads the new hour package, verifies its signature and compares.");
    story.download(await bob.downloadAndMatch());
    story.risk('Bob', bob.risk());

    story.step('Midnight passes; the day package follows.');
    const morning = Math.max(nextMidnight(mesh), mesh.clock.nowMs() + detectionDistanceMs);
    await mesh.advanceTo(morning, story.hour);

    story.step('The phones of Bob, Carol and Dave download the day package.');
    const ends: [string, Phone][] = [
      ['Bob', bob],
      ['Carol', carol],
      ['Dave', dave],
    ];
    for (const [name, phone] of ends) {
      const outcome = await phone.downloadAndMatch();
      if (name === 'Carol') story.download(outcome);
      story.check(
        `every package of ${name}'s phone verifies`,
        outcome.detection === 'RUN' && outcome.rejected.length === 0,
      );
    }

    narrator.line('');
    story.check('Bob, 20 minutes near Alice: HIGH risk', story.risk('Bob', bob.risk()).high);
    const carols = story.risk('Carol', carol.risk());
    story.check('Carol, 2 minutes near Alice: low risk, an encounter', !carols.high && carols.encounters > 0);
    const daves = story.risk('Dave', dave.risk());
    story.check('Dave, who met nobody: no encounter', !daves.high && daves.encounters === 0);
    return story.held();
  } finally {
    await people.close();
    await lab.close();
  }
}

const nextHour = (mesh: Mesh): number => (Math.floor(mesh.clock.nowMs() / hourMs) + 1) * hourMs;
const nextMidnight = (mesh: Mesh): number => (Math.floor(mesh.clock.nowMs() / (24 * hourMs)) + 1) * 24 * hourMs;

/** Numbers the steps, prints what crossed the wire and remembers whether everything held. */
function storyOf(mesh: Mesh, narrator: Narrator) {
  let number = 0;
  let allHeld = true;
  let hours: string[] = [];
  const say = (text: string) => narrator.line(`      ${text}`);
  const flushHours = () => {
    if (hours.length > 0) say(`mesh time passed ${hours.join(' ')}`);
    hours = [];
  };
  const exchange = (
    method: string,
    path: string,
    requestBytes: number,
    status: number,
    responseBytes: number,
    ms: number,
    fake = false,
  ) => {
    const sent = `${requestBytes.toLocaleString('en-US')} B →`.padStart(10);
    const answer = `${responseBytes.toLocaleString('en-US')} B`.padStart(9);
    say(
      `${method.padEnd(4)} ${path.padEnd(58)} ${sent} ${status} ${answer} ${ms.toFixed(0).padStart(5)} ms${fake ? '  (cover traffic)' : ''}`,
    );
  };
  return {
    say,
    exchange,
    step(text: string) {
      flushHours();
      narrator.line('');
      narrator.line(`${String(++number).padStart(2)}  ${mesh.clock.now().toISOString().slice(0, 19)}Z  ${text}`);
    },
    wire: (event: ExchangeEvent) =>
      exchange(event.method, event.path, event.requestBytes, event.status, event.responseBytes, event.ms, event.fake),
    hour: (now: Date) => hours.push(now.toISOString().slice(11, 16)),
    download(outcome: DownloadOutcome) {
      flushHours();
      const keys = outcome.packages.reduce((sum, { file }) => sum + file.keys.length, 0);
      say(
        `${outcome.packages.length} packages with ${keys.toLocaleString('en-US')} keys verified; ${outcome.newMatches} keys belong to somebody met`,
      );
    },
    risk(name: string, risk: Risk): { high: boolean; encounters: number } {
      flushHours();
      if (!risk.calculated) {
        say(`${name}: no risk calculated (${risk.reason})`);
        return { high: false, encounters: -1 };
      }
      const { result } = risk;
      const high = result.totalRiskLevel === RISK_LEVEL.high;
      const encounters =
        result.totalMinimumDistinctEncountersWithLowRisk + result.totalMinimumDistinctEncountersWithHighRisk;
      const minutes = Math.max(0, ...result.days.map((day) => day.normalizedMinutes));
      say(
        `${name.padEnd(6)} ${high ? 'HIGH RISK' : 'low risk '}  encounters: ${encounters}, exposure windows: ${risk.windows.length}, weighted minutes: ${minutes.toFixed(1)}`,
      );
      return { high, encounters };
    },
    check(text: string, ok: boolean) {
      allHeld &&= ok;
      say(`${ok ? '✓' : '✗ FAILED:'} ${text}`);
    },
    held: () => allHeld,
  };
}
