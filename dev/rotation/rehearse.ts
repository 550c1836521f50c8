import { mkdirSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { dayName, utcDay } from '../../lib/exposure/intervals.ts';
import { secureRandom } from '../../lib/random/random.ts';
import type { Http } from '../../phone/http.ts';
import { Phone } from '../../phone/phone.ts';
import { undiciHttp } from '../../phone/undici-http.ts';
import { openLab } from '../journey/lab.ts';
import { aGuid, inParallel, peopleOf } from '../journey/people.ts';
import { removeHome } from '../mesh/home.ts';
import { type Mesh, startMesh } from '../mesh/mesh.ts';
import { makeKey, type RehearsalKey, signingEnv } from './key-pair.ts';
import { archivePaths, fetchFile, keyPackages, readPackage, takesArchive } from './published-files.ts';

export type Stage = 'before' | 'overlap' | 'after';

/** One file and who takes it. */
export interface RotationRow {
  /** When the package was first published, or the archive was read. */
  readonly stage: Stage;
  readonly path: string;
  /** Null for what is no key package. */
  readonly keys: number | null;
  readonly oldOnly: boolean;
  readonly newOnly: boolean;
  readonly asExpected: boolean;
}

export interface Rehearsal {
  readonly rows: readonly RotationRow[];
  /** By path: how often the ETag of an archive changed; 2 is right: start and end of the overlap (decision 29). */
  readonly etagChanges: Readonly<Record<string, number>>;
  /** What else did not hold. */
  readonly faults: readonly string[];
  readonly held: boolean;
}

export interface RehearsalOptions {
  /** False drops the old key at once, which must not pass: shows that the rehearsal can fail. */
  readonly overlap?: boolean;
}

const country = 'DE';
const start = Date.parse('2021-03-01T20:05:00Z');
const hourMs = 3_600_000;
/** Enough for a package in every region. Yesterday's key would wait for two o'clock. */
const uploaders = 12;
const youngestDays = 2;
const keysEach = 12;

const expected: Readonly<Record<Stage, { oldOnly: boolean; newOnly: boolean }>> = {
  before: { oldOnly: true, newOnly: false },
  overlap: { oldOnly: true, newOnly: true },
  after: { oldOnly: false, newOnly: true },
};

/**
 * Changes the signing key of a mesh of its own as an operator would: publish with the old key, with both across a
 * midnight, with the new one. After every publication phones that know only one of the keys read everything.
 */
export async function rehearseRotation(
  progress: (text: string) => void,
  { overlap = true }: RehearsalOptions = {},
): Promise<Rehearsal> {
  const home = mkdtempSync(join(tmpdir(), 'cwa-rotation-'));
  let mesh: Mesh | undefined;
  const leave = async () => {
    await mesh?.close();
    removeHome(home);
  };
  const onSignal = () => void leave().then(() => process.exit(130));
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  try {
    const keys = join(home, 'rehearsal');
    mkdirSync(keys, { mode: 0o700 });
    const [oldKey, newKey] = [makeKey(keys, 'v1'), makeKey(keys, 'v2')];
    progress('starting a mesh that signs with the old key');
    mesh = await startMesh({ home, env: signingEnv(oldKey), startAtMs: start, anyPorts: true });
    const overlapping = overlap ? signingEnv(newKey, oldKey) : signingEnv(newKey);
    return await play(mesh, { oldKey, newKey, overlapping }, progress);
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
    await leave();
  }
}

interface Plan {
  readonly oldKey: RehearsalKey;
  readonly newKey: RehearsalKey;
  readonly overlapping: Readonly<Record<string, string>>;
}

async function play(
  mesh: Mesh,
  { oldKey, newKey, overlapping }: Plan,
  progress: (text: string) => void,
): Promise<Rehearsal> {
  const ca = readFileSync(join(mesh.home, 'pki', 'ca.crt'));
  const http = undiciHttp(`https://localhost:${mesh.ports.GATEWAY_PHONE_PORT}`, { ca, connections: 4 });
  const observer = observe(mesh, http, oldKey, newKey);
  const publish = async (stage: Stage, what: string, until: number): Promise<void> => {
    progress(`${new Date(until).toISOString()}: ${what}`);
    await mesh.advanceTo(until);
    await observer.look(stage);
  };
  const changeKeys = async (stage: Stage, what: string, settings: Readonly<Record<string, string>>): Promise<void> => {
    progress(what);
    await mesh.restart('distribution', settings);
    for (let run = 0; run < 2; run++) {
      await mesh.runDistribution();
      await observer.look(stage);
    }
  };
  try {
    await mesh.runDistribution();
    await uploadKeys(mesh);
    await publish('before', 'publish with the old key', start + hourMs);
    await changeKeys('overlap', 'the overlap begins: both keys', overlapping);
    await uploadKeys(mesh);
    await publish('overlap', 'publish with both', start + 2 * hourMs);
    await publish('overlap', 'and across midnight, the day package too', start + 4 * hourMs);
    await changeKeys('after', 'the overlap ends: the new key alone', signingEnv(newKey));
    await uploadKeys(mesh);
    await publish('after', 'publish with the new key', start + 5 * hourMs);
    return observer.result();
  } finally {
    await http.close();
  }
}

function observe(mesh: Mesh, http: Http, oldKey: RehearsalKey, newKey: RehearsalKey) {
  const rows = new Map<string, RotationRow>();
  const etags = new Map<string, string[]>();
  const faults: string[] = [];

  const row = (stage: Stage, path: string, oldOnly: boolean, newOnly: boolean, keys: number | null): RotationRow => {
    const asExpected = oldOnly === expected[stage].oldOnly && newOnly === expected[stage].newOnly;
    return { stage, path, keys, oldOnly, newOnly, asExpected };
  };
  const packages = async (stage: Stage): Promise<void> => {
    const today = utcDay(mesh.clock.nowMs() / 1000);
    for (const { path, zip } of await keyPackages(http, [dayName(today - 1), dayName(today)])) {
      if (rows.has(path)) continue;
      const [byOld, byNew] = [await readPackage(zip, oldKey.trusted), await readPackage(zip, newKey.trusted)];
      rows.set(path, row(stage, path, byOld !== undefined, byNew !== undefined, byOld ?? byNew ?? null));
    }
  };
  const archives = async (stage: Stage): Promise<void> => {
    for (const path of archivePaths(country)) {
      const { etag, zip } = await fetchFile(http, path);
      const seen = etags.get(path) ?? [];
      if (seen.at(-1) !== etag) etags.set(path, [...seen, etag]);
      const [byOld, byNew] = [await takesArchive(zip, oldKey.trusted), await takesArchive(zip, newKey.trusted)];
      const found = row(stage, path, byOld, byNew, null);
      if (rows.get(`${stage} ${path}`)?.asExpected !== false) rows.set(`${stage} ${path}`, found);
    }
  };
  /** A whole session of a phone that knows one key: configuration, indexes, packages, in both regions. */
  const session = async (stage: Stage, key: RehearsalKey, takes: boolean): Promise<void> => {
    for (const region of [country, 'EUR']) {
      const phone = new Phone({ http, clock: mesh.clock, random: secureRandom, trustedKeys: key.trusted, region });
      const { configuration, packages, rejected } = await phone.downloadAndMatch({ ignoreQuota: true });
      if ((configuration === 'UPDATED') !== takes)
        faults.push(`${stage}: a phone with ${key.version} alone and the configuration`);
      const wrong = [
        ...packages.map(({ path }) => [path, true] as const),
        ...rejected.map(({ path }) => [path, false] as const),
      ].filter(([path, taken]) => rows.get(path)?.[key === oldKey ? 'oldOnly' : 'newOnly'] !== taken);
      for (const [path] of wrong)
        faults.push(`${stage}: a phone with ${key.version} alone decides otherwise on ${path}`);
    }
  };
  return {
    async look(stage: Stage): Promise<void> {
      await packages(stage);
      await archives(stage);
      await session(stage, oldKey, expected[stage].oldOnly);
      await session(stage, newKey, expected[stage].newOnly);
    },
    result(): Rehearsal {
      const all = [...rows.values()];
      const etagChanges = Object.fromEntries([...etags].map(([path, seen]) => [path, seen.length - 1]));
      for (const stage of Object.keys(expected) as Stage[]) {
        const keys = all.reduce((sum, one) => sum + (one.stage === stage ? (one.keys ?? 0) : 0), 0);
        if (keys === 0) faults.push(`${stage}: no package with keys was published that anybody takes`);
      }
      const held =
        faults.length === 0 &&
        all.every(({ asExpected }) => asExpected) &&
        Object.values(etagChanges).every((n) => n === 2);
      return { rows: all, etagChanges, faults, held };
    },
  };
}

async function uploadKeys(mesh: Mesh): Promise<void> {
  const people = peopleOf(mesh, uploaders);
  const lab = openLab(mesh.home, mesh.ports.GATEWAY_PARTNER_PORT);
  const guids = Array.from({ length: uploaders }, () => aGuid());
  const today = utcDay(mesh.clock.nowMs() / 1000);
  try {
    const { status } = await lab.report(guids, 'positive');
    if (status !== 204) throw new Error(`the lab's list was refused with status ${status}`);
    await inParallel(guids, uploaders, async (guid) => {
      const phone = people.freshPhone();
      await phone.registerByQr(guid);
      const keys = Array.from({ length: keysEach }, (_, i) => ({
        keyData: secureRandom.bytes(16),
        rollingStartIntervalNumber: (today - youngestDays - i) * 144,
        rollingPeriod: 144,
        transmissionRiskLevel: 6,
      }));
      const { accepted, uploadStatus } = await phone.uploadKeys({ keys });
      if (!accepted) throw new Error(`an upload was answered with status ${uploadStatus ?? 'none'}`);
    });
  } finally {
    await lab.close();
    await people.close();
  }
}
