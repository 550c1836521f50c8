import { UploadStatus } from '../gen/mesh/cwa/submission/v1/submission.ts';
import {
  GetTestResultRefusal,
  IssueTanRefusal,
  KeyType,
  type RegisterTokenOutcome,
  type Registration,
} from '../gen/mesh/cwa/verification/v1/verification.ts';
import {
  HASHED_GUID_PATTERN,
  HASHED_ID_PATTERN,
  TELE_TAN_PATTERN,
  UUID_PATTERN,
} from '../lib/exposure/token-format.ts';
import type { Random } from '../lib/random/random.ts';
import type { Clock } from '../lib/time/clock.ts';
import type { PhoneMesh } from './mesh.ts';
import { withoutPadding } from './submission-payload.ts';

/** Statuses of a refusal; the bodies are empty, so this is all that a phone learns. */
export type Refusal = 400 | 403 | 500;
export type Outcome<T> = { readonly value: T } | { readonly refused: Refusal };

export interface PhoneDeps {
  readonly mesh: PhoneMesh;
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * One thing that phones ask. `fake.ts` runs it: a fake request passes `check` and is answered by `pretend`, a real one
 * by `answer`; nothing else knows the difference.
 */
export interface Operation<Asked, Checked, Told> {
  /** Shape only, without any look-up; undefined is a 400. */
  check(asked: Asked): Checked | undefined;
  answer(checked: Checked, deps: PhoneDeps): Promise<Outcome<Told>>;
  /** What a success looks like. */
  pretend(deps: PhoneDeps): Told;
}

export interface AskedRegistration {
  readonly keyType: KeyType | undefined;
  readonly key: unknown;
  readonly keyDob: unknown;
}

/** S 2.2. Hashes go on in lower case, so that letter case does not make two of one (S 2.8 [D]). */
export const registerToken: Operation<AskedRegistration, Registration, { registrationToken: string }> = {
  check({ keyType, key, keyDob }) {
    const dob = keyDob ?? '';
    if (typeof key !== 'string' || typeof dob !== 'string') return undefined;
    if (dob !== '' && !HASHED_ID_PATTERN.test(dob)) return undefined;
    if (keyDob === '') return undefined;
    if (keyType === KeyType.KEY_TYPE_TELETAN) {
      return TELE_TAN_PATTERN.test(key) ? { keyType, key, keyDob: '' } : undefined;
    }
    if (keyType !== KeyType.KEY_TYPE_GUID || !HASHED_GUID_PATTERN.test(key)) return undefined;
    return { keyType, key: key.toLowerCase(), keyDob: dob.toLowerCase() };
  },
  async answer(registration, { mesh }) {
    const { outcome }: RegisterTokenOutcome = await mesh.registerToken(registration);
    if (outcome?.$case === 'registrationToken') return { value: { registrationToken: outcome.value } };
    return { refused: outcome?.$case === 'refused' ? 400 : 500 };
  },
  pretend: ({ random }) => ({ registrationToken: random.uuid() }),
};

export interface ToldResult {
  readonly testResult: number;
  /** Seconds since 1970. */
  readonly sc: number;
  readonly labId?: string;
}

/** S 2.3. */
export const getTestResult: Operation<unknown, string, ToldResult> = {
  check: checkToken,
  async answer(token, { mesh }) {
    const { outcome } = await mesh.getTestResult(token);
    if (outcome?.$case === 'testResult') {
      const { code, sampleCollectedAt, labId } = outcome.value;
      const told = { testResult: code, sc: sampleCollectedAt };
      return { value: labId !== undefined && fits(labId) ? { ...told, labId } : told };
    }
    switch (outcome?.value) {
      case GetTestResultRefusal.GET_TEST_RESULT_REFUSAL_UNKNOWN_TOKEN:
        return { refused: 400 };
      case GetTestResultRefusal.GET_TEST_RESULT_REFUSAL_DATE_OF_BIRTH_MISMATCH:
        return { refused: 403 };
      default:
        return { refused: 500 };
    }
  },
  pretend: ({ clock }) => ({ testResult: 2, sc: Math.floor(clock.nowMs() / 1000) }),
};

/** S 2.4. */
export const issueTan: Operation<unknown, string, { tan: string }> = {
  check: checkToken,
  async answer(token, { mesh }) {
    const { outcome } = await mesh.issueTan(token);
    if (outcome?.$case === 'tan') return { value: { tan: outcome.value } };
    switch (outcome?.value) {
      case IssueTanRefusal.ISSUE_TAN_REFUSAL_UNKNOWN_TOKEN:
      case IssueTanRefusal.ISSUE_TAN_REFUSAL_NOT_POSITIVE:
      case IssueTanRefusal.ISSUE_TAN_REFUSAL_LIMIT_REACHED:
        return { refused: 400 };
      default:
        return { refused: 500 };
    }
  },
  pretend: ({ random }) => ({ tan: random.uuid() }),
};

function checkToken(token: unknown): string | undefined {
  return typeof token === 'string' && UUID_PATTERN.test(token) ? token : undefined;
}

/** A laboratory's id of 64 plain characters fits into every answer's fixed size; a stranger one is left out. */
const fits = (labId: string): boolean => Buffer.byteLength(JSON.stringify(labId)) <= 66;

export interface AskedUpload {
  readonly payload: Uint8Array;
  /** Values of `cwa-authorization` and `cwa-otp`. */
  readonly authorization: string | undefined;
  readonly otp: string | undefined;
}

interface CheckedUpload {
  readonly payload: Buffer;
  /** Undefined for a self-report. */
  readonly tan: string | undefined;
}

export interface ToldUpload {
  readonly filteredCheckIns: number;
  readonly savedCheckIns: number;
}

/** S 1.2, 1.4. Nothing of a fake upload is looked at but its size (S 1.8), so it never comes to `check`. */
export const submitKeys: Operation<AskedUpload, CheckedUpload, ToldUpload> = {
  check({ payload, authorization = '', otp = '' }) {
    const bytes = withoutPadding(payload);
    const tan = authorization.trim();
    if (bytes === undefined || (tan === '') === (otp.trim() === '')) return undefined;
    return { payload: bytes, tan: tan === '' ? undefined : tanOf(tan) };
  },
  answer: (upload, deps) => upTo(deps, upload, false),
  pretend: noCheckIns,
};

/** S 1.7: a TAN is required, and there is no fake of it. */
export const submitKeysOnBehalf: Operation<AskedUpload, CheckedUpload, ToldUpload> = {
  check({ payload, authorization = '' }) {
    const bytes = withoutPadding(payload);
    const tan = authorization.trim();
    return bytes === undefined || tan === '' ? undefined : { payload: bytes, tan: tanOf(tan) };
  },
  answer: (upload, deps) => upTo(deps, upload, true),
  pretend: noCheckIns,
};

function noCheckIns(): ToldUpload {
  return { filteredCheckIns: 0, savedCheckIns: 0 };
}

/** Requirement text and apps differ in the prefix; both are taken. What can be no TAN goes on as none: 403, not 400. */
function tanOf(authorization: string): string {
  const tan = authorization.replace(/^TAN +/i, '').toLowerCase();
  return UUID_PATTERN.test(tan) ? tan : '';
}

async function upTo({ mesh }: PhoneDeps, upload: CheckedUpload, onBehalf: boolean): Promise<Outcome<ToldUpload>> {
  // Self-reports arrive with data donation (decision 19).
  if (upload.tan === undefined) return { refused: 403 };
  const outcome = await mesh.submitKeys({ payload: upload.payload, tan: upload.tan, onBehalf });
  switch (outcome.status) {
    case UploadStatus.UPLOAD_STATUS_STORED:
      return { value: { filteredCheckIns: outcome.filteredCheckIns, savedCheckIns: outcome.savedCheckIns } };
    case UploadStatus.UPLOAD_STATUS_INVALID_PAYLOAD:
      return { refused: 400 };
    case UploadStatus.UPLOAD_STATUS_TAN_REFUSED:
      return { refused: 403 };
    default:
      return { refused: 500 };
  }
}
