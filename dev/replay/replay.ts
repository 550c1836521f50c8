import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DecodedKey } from '../../lib/exposure/key-export-reader.ts';
import type { UploadKey } from '../../phone/submission-vector.ts';
import { openLab } from '../journey/lab.ts';
import { aGuid, inParallel, type People, peopleOf } from '../journey/people.ts';
import { removeHome } from '../mesh/home.ts';
import { type Mesh, startMesh } from '../mesh/mesh.ts';
import { compare, type ReplayResult } from './compare.ts';
import { intakeRule, type PhoneLoad, planUploads, type SentLoad } from './replay-plan.ts';

const hourMs = 3_600_000;
/** Answers leave on a fixed schedule, so many phones must wait at once to keep the gateway busy. */
const phonesAtOnce = 192;
/** A key waits at most 24 hours for company; the rest is room for the embargo. */
const patienceHours = 40;
/** A lab list may hold 10,000 results. */
const listLimit = 10_000;

/**
 * Uploads every key of a file through a mesh whose clock stands at `endSeconds`, lets distribution publish, downloads
 * everything with one phone and accounts for every key.
 */
export async function replay(
  keys: readonly DecodedKey[],
  endSeconds: number,
  progress: (text: string) => void,
): Promise<ReplayResult> {
  const home = mkdtempSync(join(tmpdir(), 'cwa-replay-'));
  const interrupted = new AbortController();
  const onSignal = () => interrupted.abort(new Error('interrupted'));
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  progress('starting a mesh whose clock stands at the end of the window');
  // Nothing of the caller's settings: a replay must never touch a real database or bucket.
  const opening = startMesh({ home, env: {}, startAtMs: endSeconds * 1000, anyPorts: true });
  try {
    const mesh = await opening;
    interrupted.signal.throwIfAborted();
    return await Promise.race([play(mesh, keys, progress), untilAborted(interrupted.signal)]);
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
    // An interrupt during the start waits for it: what is half open cannot be closed in order.
    const mesh = await opening.catch(() => undefined);
    await mesh?.close();
    removeHome(home);
  }
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_done, fail) => signal.addEventListener('abort', () => fail(signal.reason), { once: true }));
}

async function play(mesh: Mesh, keys: readonly DecodedKey[], progress: (text: string) => void): Promise<ReplayResult> {
  await mesh.runDistribution();
  const people = peopleOf(mesh, phonesAtOnce);
  try {
    const loads = await uploadAll(mesh, people, keys, progress);
    await publishAll(mesh, storedKeys(keys, loads), progress);
    progress('a phone downloads everything');
    const download = await people.freshPhone().downloadAndMatch({ ignoreQuota: true });
    const published = download.packages.flatMap(({ file }) => file.keys);
    return compare(keys, loads, published, mesh.clock.nowMs() / 1000);
  } finally {
    await people.close();
  }
}

async function uploadAll(
  mesh: Mesh,
  people: People,
  keys: readonly DecodedKey[],
  progress: (text: string) => void,
): Promise<SentLoad[]> {
  const plan = planUploads(keys, mesh.clock.nowMs() / 1000);
  const guids = plan.map(() => aGuid());
  const lab = openLab(mesh.home, mesh.ports.GATEWAY_PARTNER_PORT);
  try {
    for (let at = 0; at < guids.length; at += listLimit) {
      const { status } = await lab.report(guids.slice(at, at + listLimit), 'positive');
      if (status !== 204) throw new Error(`the lab's list was refused with status ${status}`);
    }
  } finally {
    await lab.close();
  }
  const sent: SentLoad[] = [];
  let done = 0;
  const upload = async (positions: PhoneLoad, index: number) => {
    const phone = people.freshPhone();
    const registration = await phone.registerByQr(guids[index] ?? '');
    if (!registration.registered) throw new Error(`a phone could not register (status ${registration.status})`);
    const nowSeconds = Math.floor(mesh.clock.nowMs() / 1000);
    const outcome = await phone.uploadKeys({ keys: positions.map((position) => asUpload(keys[position] ?? {})) });
    const { uploadStatus } = outcome;
    if (uploadStatus !== 200 && uploadStatus !== 400)
      throw new Error(`an upload was answered with status ${uploadStatus ?? 'none'}`);
    sent[index] = { positions, accepted: outcome.accepted, nowSeconds };
    if (++done % 200 === 0 || done === plan.length) progress(`${done} of ${plan.length} phones have uploaded`);
  };
  await inParallel(plan, phonesAtOnce, upload);
  return sent;
}

/** The key exactly as the file holds it: what is absent stays absent. */
const asUpload = (key: DecodedKey): UploadKey => ({ ...key, keyData: key.keyData ?? Buffer.alloc(0) });

/** Distinct keys that intake must have stored. */
function storedKeys(keys: readonly DecodedKey[], loads: readonly SentLoad[]): number {
  const taken = loads.flatMap((load) =>
    load.positions.map((position) => keys[position] ?? {}).filter((key) => intakeRule(key, load) === undefined),
  );
  return new Set(taken.map((key) => key.keyData?.toString('hex'))).size;
}

/** Moves the clock hour by hour until every stored key is published or excluded by a rule. */
async function publishAll(mesh: Mesh, stored: number, progress: (text: string) => void): Promise<void> {
  for (let hours = 0; hours < patienceHours; hours++) {
    const next = (Math.floor(mesh.clock.nowMs() / hourMs) + 1) * hourMs;
    await mesh.advanceTo(next);
    const { keysWaiting, keysPublished, excluded } = await mesh.distributionReport();
    const settled = excluded.reduce((sum, { keyCount }) => sum + keyCount, keysPublished);
    progress(`${new Date(next).toISOString()}: ${keysPublished} keys published, ${keysWaiting} wait`);
    if (settled >= stored) return;
  }
}
