import { KeyType } from '../gen/mesh/cwa/verification/v1/verification.ts';
import { type Answer, emptyAnswer, notFound } from './answer.ts';
import { type FakeRule, isFake, type Performed, perform } from './fake.ts';
import {
  getTestResult,
  issueTan,
  type Outcome,
  type PhoneDeps,
  registerToken,
  submitKeys,
  submitKeysOnBehalf,
  type ToldUpload,
} from './phone.ts';
import type { PhoneRoute, RequestHead, Routed } from './phone-route.ts';
import type { PhoneGroup } from './route-group.ts';
import { sizedBody } from './answer-size.ts';

const uploadLimit = 102_400;
const verificationLimit = 10_000;
const jsonType = ['content-type', 'application/json'] as const;

/** The exact paths of the shipped apps (S 1.1, 2.2 to 2.4) and the aliases of decision 11. */
export function phoneRestRoutes(deps: PhoneDeps): PhoneRoute[] {
  const register = verification(deps, 'registration', registerToken, 201, (json) => ({
    keyType: keyTypes.get(json['keyType']),
    key: json['key'],
    keyDob: json['keyDob'],
  }));
  const result = verification(deps, 'result', getTestResult, 200, (json) => json['registrationToken']);
  const tan = verification(deps, 'tan', issueTan, 201, (json) => json['registrationToken']);
  return [
    { path: '/version/v1/diagnosis-keys', ...upload, answer: (head, body) => submit(deps, head, body) },
    { path: '/version/v1/submission-on-behalf', ...upload, answer: (head, body) => submitOnBehalf(deps, head, body) },
    ...['/version/v1/registrationToken', '/api/v1/registrationToken'].map((path) => ({ path, ...register })),
    ...['/version/v1/testresult', '/api/v1/testresult'].map((path) => ({ path, ...result })),
    ...['/version/v1/tan', '/api/tan'].map((path) => ({ path, ...tan })),
  ];
}

const keyTypes = new Map<unknown, KeyType>([
  ['GUID', KeyType.KEY_TYPE_GUID],
  ['TELETAN', KeyType.KEY_TYPE_TELETAN],
]);

const upload = {
  group: 'upload' as const,
  limit: uploadLimit,
  refuse: (head: RequestHead) => (ofType(head, 'application/x-protobuf') ? undefined : emptyAnswer(415)),
  tooLarge: emptyAnswer(400),
};

function submit(deps: PhoneDeps, head: RequestHead, body: Buffer): Promise<Routed> | Routed {
  const fake = fakeOf('submission', head);
  if (fake === undefined) return refused(400);
  return routed(perform(submitKeys, askedUpload(head, body), fake, deps, { shapeless: true }), uploadAnswer);
}

function submitOnBehalf(deps: PhoneDeps, head: RequestHead, body: Buffer): Promise<Routed> | Routed {
  const fake = fakeOf('submission', head);
  if (fake === undefined) return refused(400);
  if (fake) return { kind: 'refused', answer: notFound };
  return routed(perform(submitKeysOnBehalf, askedUpload(head, body), false, deps), uploadAnswer);
}

function askedUpload(head: RequestHead, payload: Buffer) {
  return { payload, authorization: head.header('cwa-authorization'), otp: head.header('cwa-otp') };
}

const uploadAnswer = ({ filteredCheckIns, savedCheckIns }: ToldUpload): Answer =>
  emptyAnswer(200, [
    ['cwa-filtered-checkins', String(filteredCheckIns)],
    ['cwa-saved-checkins', String(savedCheckIns)],
  ]);

function verification<Asked, Checked, Told>(
  deps: PhoneDeps,
  group: PhoneGroup,
  operation: Parameters<typeof perform<Asked, Checked, Told>>[0],
  status: number,
  read: (json: Record<string, unknown>) => Asked,
): Omit<PhoneRoute, 'path'> {
  return {
    group,
    limit: verificationLimit,
    refuse: (head) => {
      if (!ofType(head, 'application/json')) return emptyAnswer(415);
      // Only HTTP/1.1 has this header (S 2.1); HTTP/2 needs no length (decision 11).
      return head.header('transfer-encoding') === undefined ? undefined : emptyAnswer(406);
    },
    tooLarge: emptyAnswer(406),
    answer: (head, body) => {
      const json = jsonObject(body);
      if (json === undefined) return refused(400);
      const fake = fakeOf('verification', head) === true;
      return routed(perform(operation, read(json), fake, deps), (told) => ({
        status,
        headers: [jsonType],
        body: sizedBody('json', Buffer.from(JSON.stringify(told)), 0),
      }));
    },
  };
}

async function routed<Told>(performed: Promise<Performed<Told>>, answer: (told: Told) => Answer): Promise<Routed> {
  const { kind, outcome }: { kind: Routed['kind']; outcome: Outcome<Told> } = await performed;
  return { kind, answer: 'value' in outcome ? answer(outcome.value) : emptyAnswer(outcome.refused) };
}

const refused = (status: number): Routed => ({ kind: 'refused', answer: emptyAnswer(status) });

const fakeOf = (rule: FakeRule, head: RequestHead): boolean | undefined => isFake(rule, head.header('cwa-fake'));

function ofType(head: RequestHead, type: string): boolean {
  const [own = ''] = (head.header('content-type') ?? '').split(';');
  return own.trim().toLowerCase() === type;
}

function jsonObject(body: Buffer): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(body.toString());
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined;
  } catch {
    return undefined;
  }
}
