import { randomUUID } from 'node:crypto';
import { UploadStatus } from '../../gen/mesh/cwa/submission/v1/submission.ts';
import { KeyType, ReserveTanStatus, TeleTanType } from '../../gen/mesh/cwa/verification/v1/verification.ts';
import { hashText } from '../../lib/exposure/token-format.ts';
import { secureRandom } from '../../lib/random/random.ts';
import { RpcError } from '../../lib/rpc/errors.ts';
import { registrationTokenRequest, type RegistrationKey } from '../../phone/verification-requests.ts';
import { hashOfTan, seedPositive } from './ledger.ts';
import { hashOfKeys, newKeys, newToken, uploadOf } from './positive-phone.ts';
import type { RaceMesh } from './race-mesh.ts';

/** How many of a crowd had what; the names are those of `expected`. */
export type Counts = Readonly<Record<string, number>>;

export interface Race {
  readonly name: string;
  /** Through the gateway's TLS port, as phones; else at two replicas of the service at once. */
  readonly throughGateway: boolean;
  /** A round takes seconds, because everybody waits for one row: a tenth of the rounds. */
  readonly slow?: boolean;
  /** Of `width` parallel attempts, and what the databases say afterwards. */
  expected(width: number): Counts;
  round(m: RaceMesh, width: number): Promise<Counts>;
}

/** Limit of teleTANs an hour in these races: less than a crowd asks for. */
export const teleTanLimit = (width: number): number => Math.floor(width / 2);

export const races: readonly Race[] = [
  {
    name: 'registrations of one GUID, half of them with date of birth',
    throughGateway: false,
    expected: (width) => ({ token: 1, refused: width - 1, sessions: 1 }),
    async round(m, width) {
      const key = hashText(randomUUID());
      const counts = await tallyOf(width, async (i) => {
        const keyDob = i % 2 === 0 ? '' : hashText(`${key} with date of birth`);
        return register(m, i, { keyType: KeyType.KEY_TYPE_GUID, key, keyDob });
      });
      return { ...counts, sessions: await sessionsOf(m, key) };
    },
  },
  {
    name: 'registrations of one teleTAN',
    throughGateway: false,
    expected: (width) => ({ token: 1, refused: width - 1 }),
    async round(m, width) {
      const key = await issueTeleTan(m);
      return tallyOf(width, (i) => register(m, i, { keyType: KeyType.KEY_TYPE_TELETAN, key, keyDob: '' }));
    },
  },
  {
    name: 'TANs of one registration token',
    throughGateway: false,
    slow: true,
    // Each new one replaces the one before, so any number is answered and one can be spent.
    expected: (width) => ({ tan: width, open: 1 }),
    async round(m, width) {
      const token = await positiveToken(m);
      const counts = await tallyOf(width, async (i) => {
        const { outcomes } = await of(m.registration, i).issueTans({ registrationTokens: [token] });
        return outcomes[0]?.outcome?.$case === 'tan' ? 'tan' : 'refused';
      });
      const { rows } = await m.pools.verification.query(
        'select from tan join session on session.id = session_id where token_hash = $1',
        [hashOfTan(token)],
      );
      return { ...counts, open: rows.length };
    },
  },
  {
    name: 'reservations of one TAN for other keys each',
    throughGateway: false,
    expected: (width) => ({ reserved: 1, forOthers: width - 1 }),
    async round(m, width) {
      const { tan } = await anOpenTan(m);
      return tallyOf(width, async (i) => {
        const claims = [{ tan, keysHash: hashOfKeys(newKeys()), event: false }];
        const { outcomes } = await of(m.tans, i).reserveTans({ claims });
        if (outcomes[0]?.status === ReserveTanStatus.RESERVE_TAN_STATUS_RESERVED) return 'reserved';
        return outcomes[0]?.status === ReserveTanStatus.RESERVE_TAN_STATUS_RESERVED_FOR_OTHER_KEYS
          ? 'forOthers'
          : 'wrong';
      });
    },
  },
  {
    name: 'uploads with one TAN and the same keys',
    throughGateway: false,
    slow: true,
    expected: (width) => ({ stored: width, keys: 3, payments: 1 }),
    async round(m, width) {
      const { tan, token } = await anOpenTan(m);
      const keys = newKeys();
      const counts = await tallyOf(width, (i) => submit(m, i, tan, keys));
      return { ...counts, ...(await storedOf(m, token, [keys])) };
    },
  },
  {
    name: 'uploads with one TAN and other keys each',
    throughGateway: false,
    slow: true,
    expected: (width) => ({ stored: 1, refused: width - 1, keys: 3, payments: 1 }),
    async round(m, width) {
      const { tan, token } = await anOpenTan(m);
      const sets = Array.from({ length: width }, () => newKeys());
      const counts = await tallyOf(width, (i) => submit(m, i, tan, sets[i] ?? []));
      return { ...counts, ...(await storedOf(m, token, sets)) };
    },
  },
  {
    name: 'teleTANs above the limit of an hour',
    throughGateway: false,
    slow: true,
    expected: (width) => ({ issued: teleTanLimit(width), limitReached: width - teleTanLimit(width) }),
    async round(m, width) {
      await m.pools.verification.query('delete from tele_tan');
      return tallyOf(width, async (i) => {
        const { outcome } = await of(m.teleTans, i).issueTeleTan({ type: TeleTanType.TELE_TAN_TYPE_TEST });
        return outcome?.$case === 'teleTan' ? 'issued' : 'limitReached';
      });
    },
  },
  {
    name: 'registrations of one GUID',
    throughGateway: true,
    expected: (width) => ({ 201: 1, 400: width - 1, sessions: 1 }),
    async round(m, width) {
      const key = hashText(randomUUID());
      const counts = await tallyOf(width, () => registerByPhone(m, { keyType: 'GUID', key }));
      return { ...counts, sessions: await sessionsOf(m, key) };
    },
  },
  {
    name: 'registrations of one teleTAN',
    throughGateway: true,
    expected: (width) => ({ 201: 1, 400: width - 1 }),
    async round(m, width) {
      const key = await issueTeleTan(m);
      return tallyOf(width, () => registerByPhone(m, { keyType: 'TELETAN', key }));
    },
  },
  {
    name: 'uploads with one TAN and the same keys',
    throughGateway: true,
    expected: (width) => ({ 200: width, keys: 3, payments: 1 }),
    async round(m, width) {
      const { tan, token } = await anOpenTan(m);
      const keys = newKeys();
      const counts = await tallyOf(width, () => upload(m, tan, keys));
      return { ...counts, ...(await storedOf(m, token, [keys])) };
    },
  },
  {
    name: 'uploads with one TAN and other keys each',
    throughGateway: true,
    expected: (width) => ({ 200: 1, 403: width - 1, keys: 3, payments: 1 }),
    async round(m, width) {
      const { tan, token } = await anOpenTan(m);
      const sets = Array.from({ length: width }, () => newKeys());
      const counts = await tallyOf(width, (i) => upload(m, tan, sets[i] ?? []));
      return { ...counts, ...(await storedOf(m, token, sets)) };
    },
  },
];

/** The replica whose turn it is. */
const of = <T>(replicas: readonly T[], i: number): T => replicas[i % replicas.length] as T;

/** `width` attempts at once. A call that fails decided nothing and is repeated, as phones do. */
async function tallyOf(width: number, attempt: (i: number) => Promise<string>): Promise<Counts> {
  const results = await Promise.all(Array.from({ length: width }, (_, i) => settled(() => attempt(i))));
  const counts: Record<string, number> = {};
  for (const result of results) counts[result] = (counts[result] ?? 0) + 1;
  return counts;
}

const undecided = new Set(['unavailable', '500', 'no answer']);

async function settled(ask: () => Promise<string>): Promise<string> {
  for (let tries = 1; ; tries++) {
    // Of a thousand at once some wait for a connection longer than the service lets them.
    const answer = await ask().catch((error: unknown) => (error instanceof RpcError ? 'unavailable' : 'failed'));
    if (!undecided.has(answer) || tries === 20) return answer;
  }
}

async function register(
  m: RaceMesh,
  i: number,
  registration: { keyType: KeyType; key: string; keyDob: string },
): Promise<string> {
  const { outcomes } = await of(m.registration, i).registerTokens({ registrations: [registration] });
  return outcomes[0]?.outcome?.$case === 'registrationToken' ? 'token' : 'refused';
}

async function registerByPhone(m: RaceMesh, key: RegistrationKey): Promise<string> {
  return String((await m.phones.ask(registrationTokenRequest(key, secureRandom)))?.status ?? 'no answer');
}

async function submit(m: RaceMesh, i: number, tan: string, keys: readonly Buffer[]): Promise<string> {
  const payload = uploadOf(keys, tan, m.mesh.clock.nowMs()).body ?? Buffer.alloc(0);
  const { outcomes } = await of(m.submission, i).submitKeys({ uploads: [{ payload, tan, onBehalf: false }] });
  switch (outcomes[0]?.status) {
    case UploadStatus.UPLOAD_STATUS_STORED:
      return 'stored';
    case UploadStatus.UPLOAD_STATUS_TAN_REFUSED:
      return 'refused';
    case UploadStatus.UPLOAD_STATUS_UNAVAILABLE:
      return 'unavailable';
    default:
      return 'wrong';
  }
}

async function upload(m: RaceMesh, tan: string, keys: readonly Buffer[]): Promise<string> {
  return String((await m.phones.ask(uploadOf(keys, tan, m.mesh.clock.nowMs())))?.status ?? 'no answer');
}

async function issueTeleTan(m: RaceMesh): Promise<string> {
  await m.pools.verification.query('delete from tele_tan');
  const { outcome } = await of(m.teleTans, 0).issueTeleTan({ type: TeleTanType.TELE_TAN_TYPE_TEST });
  if (outcome?.$case !== 'teleTan') throw new Error('no teleTAN was issued');
  return outcome.value;
}

async function positiveToken(m: RaceMesh): Promise<string> {
  const token = newToken();
  await seedPositive(m.pools, token, m.mesh.clock.now());
  return token;
}

async function anOpenTan(m: RaceMesh): Promise<{ token: string; tan: string }> {
  const token = await positiveToken(m);
  const { outcomes } = await of(m.registration, 0).issueTans({ registrationTokens: [token] });
  const outcome = outcomes[0]?.outcome;
  if (outcome?.$case !== 'tan') throw new Error('no TAN was issued');
  return { token, tan: outcome.value };
}

async function sessionsOf(m: RaceMesh, hashedGuid: string): Promise<number> {
  return (await m.pools.verification.query('select from session where hashed_guid = $1', [hashedGuid])).rows.length;
}

async function storedOf(m: RaceMesh, token: string, sets: readonly (readonly Buffer[])[]): Promise<Counts> {
  const { rows: keys } = await m.pools.submission.query<{ n: number }>(
    'select count(*) as n from diagnosis_key where key_data = any($1::bytea[])',
    [sets.flat()],
  );
  const { rows: sessions } = await m.pools.verification.query<{ n: number }>(
    'select redeemed_tans as n from session where token_hash = $1',
    [hashOfTan(token)],
  );
  return { keys: keys[0]?.n ?? 0, payments: sessions[0]?.n ?? 0 };
}
