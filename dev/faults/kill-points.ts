import { setTimeout as delay } from 'node:timers/promises';
import { type FaultyMesh, type LinkName, links, meshDeadlineMs, type Party } from './faulty-mesh.ts';
import { type Account, accountOf, hashOfTan, seedPositive, untilSwept } from './ledger.ts';
import type { Direction } from './link.ts';
import { newKeys, newToken, type PositivePhones, positivePhones, type Status } from './positive-phone.ts';

/**
 * The kill points of an upload, over real processes, sockets and databases (decision 20; issue "exactly once").
 *
 * Why this is all of them: whatever a process of the journey awaits is a message on one of the links of `links` (the
 * phone's request, a gRPC call, a statement; the rest is computation). A process that dies or loses its network between
 * two messages is, to everybody else, one that did so right before its next message or right after its last one. So
 * each frame of each link, in each direction, is one point, and there the link fails, its sender dies or its receiver
 * dies, once with the frame withheld and once with the frame delivered. A third process that dies at that moment is
 * between two messages of its own and thus at a point of one of its own links. Frames are counted until the journey ends
 * without reaching the next: none can be left out, whatever grpc-js or pg put into frames of their own.
 */

export const manners = ['cut', 'lose', 'kill-sender', 'kill-receiver'] as const;
/** `cut`: the connection breaks. `lose`: it stays open and silent for ever. */
export type Manner = (typeof manners)[number];

export const journeys = {
  /** The phone asks for its TAN. */
  tan: [
    'phone→gateway',
    'gateway→verification',
    'verification→test-result',
    'verification→postgres',
    'test-result→postgres',
  ],
  /** The phone uploads. */
  upload: [
    'phone→gateway',
    'gateway→submission',
    'submission→verification',
    'submission→postgres',
    'verification→postgres',
  ],
  /** Other keys come while the TAN is reserved for keys that were never stored. */
  takeover: [
    'phone→gateway',
    'gateway→submission',
    'submission→verification',
    'submission→postgres',
    'verification→postgres',
  ],
} as const satisfies Record<string, readonly LinkName[]>;
export type Journey = keyof typeof journeys;

/**
 * What happens after the fault: the phone repeats the same; comes with other keys; stays away for a while; or, as shipped
 * apps do, begins anew with the next TAN (a session may pay twice).
 */
export const sequels = ['same keys', 'other keys', 'sweeper, then same keys', 'new TAN, same keys'] as const;
export type Sequel = (typeof sequels)[number];

export interface Site {
  readonly journey: Journey;
  readonly link: LinkName;
  readonly direction: Direction;
  readonly when: 'before' | 'after';
  readonly manner: Manner;
  readonly sequel: Sequel;
}

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

/** Every place of a journey where something can fail, in every manner; each is then tried frame by frame. */
export function sitesOf(journey: Journey): Site[] {
  return journeys[journey].flatMap((link) =>
    (['request', 'reply'] as const).flatMap((direction) =>
      (['before', 'after'] as const).flatMap((when) =>
        manners
          .filter((manner) => victimOf({ link, direction, manner }) !== 'phone')
          // A frame that is delivered and then silence is the silence before the next frame.
          .filter((manner) => manner !== 'lose' || when === 'before')
          .flatMap((manner) =>
            sequelsOf(journey, manner).map((sequel) => ({ journey, link, direction, when, manner, sequel })),
          ),
      ),
    ),
  );
}

/** Whose keys come next is a question of uploads alone; what a silent link leaves behind is what a cut one does, later. */
function sequelsOf(journey: Journey, manner: Manner): readonly Sequel[] {
  if (journey !== 'upload') return ['same keys'];
  return manner === 'lose' ? ['same keys', 'other keys'] : sequels;
}

/** Who dies; nobody when only the link fails. A phone that dies is a link that is cut. */
function victimOf({
  link,
  direction,
  manner,
}: Pick<Site, 'link' | 'direction' | 'manner'>): Party | 'phone' | undefined {
  const ends = links.find(([caller, called]) => `${caller}→${called}` === link) ?? (['phone', 'gateway'] as const);
  const [sender, receiver] = direction === 'request' ? ends : ([ends[1], ends[0]] as const);
  if (manner === 'kill-sender') return sender;
  return manner === 'kill-receiver' ? receiver : undefined;
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
    const { status } = await again(async () => ({ status: await phones.upload(tan, newKeys()) }), [200]);
    if (status !== 200) throw new Error(`an upload without any fault was answered ${status}`);
  }

  async function run(point: Point): Promise<Outcome> {
    await warmUp();
    const token = newToken();
    await seedPositive(pools, token, mesh.clock.now());
    const scene = { token, mine: newKeys(), others: newKeys(), tan: '' };
    if (point.journey !== 'tan') scene.tan = await tanOf(phones, token);
    if (point.journey === 'takeover') await reserveOnly(scene);

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
    const wanted = point.journey === 'takeover' ? scene.others : scene.mine;
    const asked =
      point.journey === 'tan' ? await phones.requestTan(token) : { status: await phones.upload(scene.tan, wanted) };
    faulty.link(point.link).set(undefined);
    const faults: string[] = [];
    const fail = (text: string) => faults.push(text);
    const succeeded = asked.status === (point.journey === 'tan' ? 201 : 200);
    if (frame === undefined && !succeeded) fail(`no fault, but ${asked.status}`);
    await faulty.heal();
    // gRPC's keepalive finds a silent connection within 20 s and cuts it; a database's lock must end without such help.
    if (!point.link.endsWith('postgres')) faulty.link(point.link).cutSilent();

    let retries = 0;
    const once = async <T>(ask: Promise<T>): Promise<T> => {
      retries++;
      return ask;
    };
    if (point.journey === 'tan') {
      scene.tan =
        'tan' in asked && asked.tan
          ? asked.tan
          : ((await again(() => once(phones.requestTan(token)), [201])).tan ?? '');
    } else checkHalfway(await account(scene), asked.status, fail);
    const firstTan = scene.tan;
    if (point.sequel === 'new TAN, same keys')
      scene.tan = (await again(() => once(phones.requestTan(token)), [201])).tan ?? '';

    const upload = (keys: readonly Buffer[], enough: readonly Status[]) =>
      again(async () => ({ status: await once(phones.upload(scene.tan, keys)) }), enough);
    const isDone = point.journey !== 'tan' && succeeded && scene.tan === firstTan;
    let winner = wanted;
    if (point.sequel === 'other keys') {
      const answer = await upload(scene.others, [200, 403]);
      if (answer.status === 200) winner = scene.others;
      if (answer.status !== 200 && answer.status !== 403) fail(`other keys were answered ${answer.status}`);
      if (isDone && answer.status === 200) fail('two uploads were accepted for one TAN');
    } else {
      if (point.sequel === 'sweeper, then same keys') await checkSwept(scene, fail);
      const answer = isDone ? asked : await upload(wanted, [200]);
      if (answer.status !== 200) fail(`the retry was answered ${answer.status}`);
    }
    if (!(await untilSwept(pools, 10_000))) fail('a reservation stays unconfirmed');
    const loser = winner === scene.mine ? scene.others : scene.mine;
    const late = await again(async () => ({ status: await phones.upload(scene.tan, loser) }), [403]);
    if (late.status !== 403) fail(`the TAN is spent, but other keys were answered ${late.status}`);
    const end = await account(scene);
    checkEnd(end, winner === scene.mine ? 0 : 1, fail);
    const earlier = scene.tan === firstTan ? 0 : await paymentsOf(firstTan);
    if (end.payments !== 1 + earlier) fail(`the session paid ${end.payments} times`);
    faulty.link(point.link).cutSilent();
    return { point, frame, first: asked.status, retries, faults };
  }

  type Scene = {
    readonly token: string;
    readonly tan: string;
    readonly mine: readonly Buffer[];
    readonly others: readonly Buffer[];
  };

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
    const status = await phones.upload(scene.tan, scene.mine);
    link.set(undefined);
    const { tan, stored } = await account(scene);
    if (status === 200 || tan !== 'reserved' || stored[0] !== 0)
      throw new Error(`the scene was not set: ${status}, ${tan}`);
  }

  async function checkSwept(scene: Scene, fail: (text: string) => void): Promise<void> {
    if (!(await untilSwept(pools, 10_000))) fail('the sweeper left a reservation unconfirmed');
    const swept = await account(scene);
    const stored = swept.stored.some((n) => n > 0);
    if (stored && swept.tan !== 'spent') fail(`keys are stored, but after the sweeper the TAN is ${swept.tan}`);
    if (!stored && swept.tan === 'spent') fail('the TAN is burnt without keys');
  }
}

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

/** What holds at any moment. */
function checkHalfway({ tan, stored, spentFor }: Account, answer: Status, fail: (text: string) => void): void {
  const [mine = 0, others = 0] = stored;
  if (mine > 0 && others > 0) fail('one TAN paid for two uploads');
  if (tan === 'unknown') fail('the TAN is gone without a trace');
  if (tan === 'spent' && (stored[spentFor] ?? 0) === 0) fail('a TAN was burnt without its keys stored');
  if (tan === 'free' && mine + others > 0) fail('keys are stored, but the TAN is free');
  if (answer === 200 && mine + others === 0) fail('accepted, but nothing is stored');
}

function checkEnd({ tan, stored, spentFor, reservation }: Account, winner: number, fail: (text: string) => void): void {
  if (tan !== 'spent') fail(`at the end the TAN is ${tan}`);
  if (spentFor !== winner) fail('the TAN was spent for the other keys');
  if (reservation !== 'confirmed') fail(`the reservation is ${reservation ?? 'missing'}`);
  if (stored[winner] !== 3) fail(`${stored[winner]} keys of 3 are stored`);
  if (stored[1 - winner] !== 0) fail(`${stored[1 - winner]} keys of the other upload are stored`);
}
