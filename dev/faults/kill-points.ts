import { setTimeout as delay } from 'node:timers/promises';
import { type FaultyMesh, meshDeadlineMs } from './faulty-mesh.ts';
import { type Site, victimOf } from './kill-sites.ts';
import {
  type Account,
  accountOf,
  checkEnd,
  checkHalfway,
  type Fail,
  hashOfTan,
  seedPositive,
  untilSwept,
} from './ledger.ts';
import { type Answer, newKeys, newToken, type PositivePhones, positivePhones, type Status } from './positive-phone.ts';

export interface Point extends Site {
  readonly nth: number;
}

export interface Outcome {
  readonly point: Point;
  /** What the frame was, where that can be seen; undefined when the journey ended before it came. */
  readonly frame: string | undefined;
  /** Of the request that the fault met. */
  readonly first: Status;
  /** Further requests until the phone had its answer. */
  readonly retries: number;
  /** Everything that is not as it must be. */
  readonly faults: readonly string[];
}

const maxTries = 12;
const pauseMs = 150;

/** A phone with its keys and those of somebody else, who may hold the same TAN. */
interface Scene {
  readonly token: string;
  readonly mine: readonly Buffer[];
  readonly others: readonly Buffer[];
  tan: string;
}

export interface KillPoints {
  /** Tries the frames of a site one after the other, until the journey ends without meeting the next. */
  enumerate(site: Site): AsyncGenerator<Outcome>;
  close(): Promise<void>;
}

export function killPointsOf(faulty: FaultyMesh): KillPoints {
  const { mesh, pools } = faulty;
  const phones = positivePhones(mesh, { port: faulty.link('phone→gateway').port, patienceMs: meshDeadlineMs + 1_000 });
  return {
    async *enumerate(site) {
      for (let nth = 1; ; nth++) {
        const outcome = await run({ ...site, nth });
        const met = outcome.frame !== undefined;
        if (met || outcome.faults.length > 0) yield outcome;
        if (!met) return;
      }
    },
    close: () => phones.close(),
  };

  /** Every connection is open again, whatever the last point has broken; so each point meets the same frames. */
  async function warmUp(): Promise<void> {
    const token = newToken();
    await seedPositive(pools, token, mesh.clock.now());
    const tan = await tanOf(phones, token);
    const { status } = await again(() => phones.upload(tan, newKeys()), [200]);
    if (status !== 200) throw new Error(`an upload without any fault was answered ${status}`);
  }

  async function run(point: Point): Promise<Outcome> {
    await warmUp();
    const scene = await setScene(point);
    const { asked, frame } = await askUnderFault(point, scene);
    const faults: string[] = [];
    const fail: Fail = (text) => void faults.push(text);
    if (frame === undefined && asked.status !== (point.journey === 'tan' ? 201 : 200))
      fail(`no fault, but ${asked.status}`);
    await faulty.heal();
    // gRPC's keepalive finds a silent connection within 20 s and cuts it; a database's lock must end without such help.
    if (!point.link.endsWith('postgres')) faulty.link(point.link).cutSilent();
    const retries = await goOn(point, scene, asked, fail);
    faulty.link(point.link).cutSilent();
    return { point, frame, first: asked.status, retries, faults };
  }

  async function setScene({ journey }: Point): Promise<Scene> {
    const token = newToken();
    await seedPositive(pools, token, mesh.clock.now());
    const scene = { token, mine: newKeys(), others: newKeys(), tan: '' };
    if (journey !== 'tan') scene.tan = await tanOf(phones, token);
    if (journey === 'takeover') await reserveOnly(scene);
    return scene;
  }

  /** The request of the journey, while the fault waits for its frame. */
  async function askUnderFault(point: Point, scene: Scene): Promise<{ asked: Answer; frame: string | undefined }> {
    let frame: string | undefined;
    faulty.link(point.link).set({
      direction: point.direction,
      nth: point.nth,
      when: point.when,
      spring(connection, name) {
        frame = name;
        const victim = victimOf(point);
        if (victim !== undefined && victim !== 'phone') faulty.kill(victim);
        else if (point.manner === 'cut') connection.cut();
      },
    });
    const asked =
      point.journey === 'tan'
        ? await phones.requestTan(scene.token)
        : await phones.upload(scene.tan, wantedOf(point, scene));
    faulty.link(point.link).set(undefined);
    return { asked, frame };
  }

  /** The phone goes on as the sequel says, until its TAN is spent; answers how many requests that took. */
  async function goOn(point: Point, scene: Scene, asked: Answer, fail: Fail): Promise<number> {
    let retries = 0;
    const counted = <T>(answer: Promise<T>): Promise<T> => {
      retries++;
      return answer;
    };
    const nextTan = async () => (await again(() => counted(phones.requestTan(scene.token)), [201])).tan ?? '';
    const upload = (keys: readonly Buffer[], enough: readonly Status[]) =>
      again(() => counted(phones.upload(scene.tan, keys)), enough);

    if (point.journey === 'tan') scene.tan = asked.tan || (await nextTan());
    else checkHalfway(await account(scene), asked.status, fail);
    const firstTan = scene.tan;
    if (point.sequel === 'new TAN, same keys') scene.tan = await nextTan();

    const isDone = point.journey !== 'tan' && asked.status === 200 && scene.tan === firstTan;
    let winner = wantedOf(point, scene);
    if (point.sequel === 'other keys') {
      const { status } = await upload(scene.others, [200, 403]);
      if (status === 200) winner = scene.others;
      else if (status !== 403) fail(`other keys were answered ${status}`);
      if (isDone && status === 200) fail('two uploads were accepted for one TAN');
    } else {
      if (point.sequel === 'sweeper, then same keys') await checkSwept(scene, fail);
      const { status } = isDone ? asked : await upload(winner, [200]);
      if (status !== 200) fail(`the retry was answered ${status}`);
    }
    await checkSpent(scene, winner, firstTan, fail);
    return retries;
  }

  async function checkSpent(scene: Scene, winner: readonly Buffer[], firstTan: string, fail: Fail): Promise<void> {
    if (!(await untilSwept(pools, 10_000))) fail('a reservation stays unconfirmed');
    const loser = winner === scene.mine ? scene.others : scene.mine;
    const late = await again(() => phones.upload(scene.tan, loser), [403]);
    if (late.status !== 403) fail(`the TAN is spent, but other keys were answered ${late.status}`);
    const end = await account(scene);
    checkEnd(end, winner === scene.mine ? 0 : 1, fail);
    const earlier = scene.tan === firstTan ? 0 : await paymentsOf(firstTan);
    if (end.payments !== 1 + earlier) fail(`the session paid ${end.payments} times`);
  }

  async function account(scene: Scene): Promise<Account> {
    const read = () => accountOf(pools, scene.token, scene.tan, [scene.mine, scene.others]);
    const first = await read();
    // Confirmed between our two looks; a TAN that is really gone stays gone.
    return first.tan === 'unknown' ? read() : first;
  }

  /** 1 when the earlier TAN was spent too; its keys are the same, so nothing is lost. */
  async function paymentsOf(tan: string): Promise<number> {
    const { rows } = await pools.verification.query('select from tan_tombstone where tan_hash = $1', [hashOfTan(tan)]);
    return rows.length;
  }

  /** The TAN is reserved for `mine`, whose connection to the database then fails: nothing is stored. */
  async function reserveOnly(scene: Scene): Promise<void> {
    const link = faulty.link('submission→postgres');
    link.set({ direction: 'request', nth: 1, when: 'before', spring: (connection) => connection.cut() });
    const { status } = await phones.upload(scene.tan, scene.mine);
    link.set(undefined);
    const { tan, stored } = await account(scene);
    if (status === 200 || tan !== 'reserved' || stored[0] !== 0)
      throw new Error(`the scene was not set: ${status}, ${tan}`);
  }

  async function checkSwept(scene: Scene, fail: Fail): Promise<void> {
    if (!(await untilSwept(pools, 10_000))) fail('the sweeper left a reservation unconfirmed');
    const swept = await account(scene);
    const stored = swept.stored.some((n) => n > 0);
    if (stored && swept.tan !== 'spent') fail(`keys are stored, but after the sweeper the TAN is ${swept.tan}`);
    if (!stored && swept.tan === 'spent') fail('the TAN is burnt without keys');
  }
}

/** Whose keys the journey uploads. */
const wantedOf = ({ journey }: Point, { mine, others }: Scene): readonly Buffer[] =>
  journey === 'takeover' ? others : mine;

/** Asks until the answer is one of these, as a phone does that does not give up. */
async function again<T extends { status: Status }>(ask: () => Promise<T>, enough: readonly Status[]): Promise<T> {
  for (let tries = 1; ; tries++) {
    const answer = await ask();
    if (enough.includes(answer.status) || tries === maxTries) return answer;
    await delay(pauseMs);
  }
}

async function tanOf(phones: PositivePhones, token: string): Promise<string> {
  const { tan } = await again(() => phones.requestTan(token), [201]);
  if (tan === undefined) throw new Error('no TAN without any fault');
  return tan;
}
