import {
  type RegisterTokenOutcome,
  RegisterTokenRefusal,
  type RegistrationServiceService,
} from '../../gen/mesh/cwa/verification/v1/verification.ts';
import { inTx, type Tx } from '../../lib/db/tx.ts';
import type { Handlers } from '../../lib/rpc/api.ts';
import { unavailable } from '../../lib/rpc/errors.ts';
import { countRegistrations } from './counts.ts';
import { countTeleTanAttempts } from './tele-tan-attempts.ts';
import type { Deps } from './deps.ts';
import { togetherOrItemByItem } from './item-by-item.ts';
import { type ParsedRegistration, parseRegistration } from './registration.ts';
import { insertSessions, type NewSession, registerHashes, takenHashes } from './store/session.ts';
import { redeemTeleTans } from './store/tele-tan.ts';
import { storedHash } from './stored-hash.ts';

type RegisterTokens = Handlers<typeof RegistrationServiceService>['registerTokens'];
type Item = ParsedRegistration | undefined;

const attempts = 20;

/** Couples phones to tests and teleTANs, each of which can be had once (S 2.2). */
export const registerTokens =
  (d: Deps): RegisterTokens =>
  async ({ registrations }, call) => {
    const items = registrations.map((registration) => parseRegistration(registration, d.rules.teleTanPepper));
    const outcomes = await togetherOrItemByItem(items, (some) => register(d, some), { outcome: undefined }, d.log);
    countRegistrations(d, registrations, outcomes, call);
    await countTeleTanAttempts(
      d,
      items.flatMap((item, i) => (item?.kind === 'tele-tan' ? [isToken(outcomes[i])] : [])),
    );
    return { outcomes };
  };

async function register(d: Deps, items: readonly Item[]): Promise<RegisterTokenOutcome[]> {
  const now = d.clock.now();
  if (items.every((item) => item === undefined))
    return items.map(() => refused(RegisterTokenRefusal.REGISTER_TOKEN_REFUSAL_INVALID_KEY));
  for (let attempt = 1; attempt <= attempts; attempt++) {
    try {
      return await inTx(d.pool, 'register-tokens', (tx) => registerIn(tx, d, items, now));
    } catch (error) {
      // Somebody registered one of these hashes between our look and our insert: look again.
      if (!(error instanceof RivalRegistration)) throw error;
    }
  }
  throw unavailable('RIVAL_REGISTRATIONS');
}

class RivalRegistration extends Error {}

async function registerIn(tx: Tx, d: Deps, items: readonly Item[], now: Date): Promise<RegisterTokenOutcome[]> {
  const guids = await claimGuids(tx, items, now);
  const teleTans = await claimTeleTans(tx, items, now);
  const sessions: NewSession[] = [];
  const outcomes = items.map((item, i) => {
    if (item === undefined) return refused(RegisterTokenRefusal.REGISTER_TOKEN_REFUSAL_INVALID_KEY);
    if (item.kind === 'guid' && !guids.has(i))
      return refused(RegisterTokenRefusal.REGISTER_TOKEN_REFUSAL_ALREADY_REGISTERED);
    const teleTanType = teleTans.get(i) ?? null;
    if (item.kind === 'tele-tan' && teleTanType === null) {
      return refused(RegisterTokenRefusal.REGISTER_TOKEN_REFUSAL_TELE_TAN_NOT_REDEEMABLE);
    }
    const token = d.random.uuid();
    const { hashedGuid, hashedGuidDob } = item.kind === 'guid' ? item : { hashedGuid: null, hashedGuidDob: null };
    sessions.push({ tokenHash: storedHash(token), hashedGuid, hashedGuidDob, teleTanType });
    return { outcome: { $case: 'registrationToken' as const, value: token } };
  });
  if (sessions.length > 0) await insertSessions(tx, sessions, now);
  return outcomes;
}

/** The items whose hashes are all new, in the list's own order too: the first of two with the same hash gets it. */
async function claimGuids(tx: Tx, items: readonly Item[], now: Date): Promise<Set<number>> {
  const hashes = items.flatMap((item) => (item?.kind === 'guid' ? item.hashes : []));
  if (hashes.length === 0) return new Set();
  const taken = new Set([...(await takenHashes(tx, hashes))].map((position) => keyOf(hashes[position])));
  const claims = new Set<number>();
  const claimed: Buffer[] = [];
  items.forEach((item, i) => {
    if (item?.kind !== 'guid' || item.hashes.some((hash) => taken.has(keyOf(hash)))) return;
    claims.add(i);
    claimed.push(...item.hashes);
    for (const hash of item.hashes) taken.add(keyOf(hash));
  });
  if (claimed.length > 0 && (await registerHashes(tx, claimed, now)) < claimed.length) throw new RivalRegistration();
  return claims;
}

/** The types of the teleTANs that could be redeemed, by item; of two same ones the first is. */
async function claimTeleTans(tx: Tx, items: readonly Item[], now: Date): Promise<Map<number, number>> {
  const firsts = new Map<string, { item: number; hash: Buffer }>();
  items.forEach((parsed, item) => {
    if (parsed?.kind === 'tele-tan' && !firsts.has(keyOf(parsed.hash)))
      firsts.set(keyOf(parsed.hash), { item, hash: parsed.hash });
  });
  if (firsts.size === 0) return new Map();
  const claims = [...firsts.values()];
  const types = await redeemTeleTans(
    tx,
    claims.map(({ hash }) => hash),
    now,
  );
  return new Map(claims.flatMap(({ item }, i) => (types.has(i) ? [[item, types.get(i) as number]] : [])));
}

const keyOf = (hash: Buffer | undefined): string => hash?.toString('base64') ?? '';

const refused = (value: RegisterTokenRefusal): RegisterTokenOutcome => ({ outcome: { $case: 'refused', value } });

const isToken = (outcome: RegisterTokenOutcome | undefined): boolean => outcome?.outcome?.$case === 'registrationToken';
