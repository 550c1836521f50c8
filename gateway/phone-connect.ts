import { toBinary } from '@bufbuild/protobuf';
import { type ConnectRouter, createContextKey, createContextValues, type HandlerContext } from '@connectrpc/connect';
import { type SubmissionPayload, SubmissionPayloadSchema } from '../gen/edge/cwa/exposure/v1/submission_payload_pb.ts';
import { KeyType as PhoneKeyType, PhoneService } from '../gen/edge/cwa/phone/v1/phone_pb.ts';
import { KeyType } from '../gen/mesh/cwa/verification/v1/verification.ts';
import { type Answer, emptyAnswer } from './answer.ts';
import type { AnswerKind } from './answer-schedule.ts';
import { type BodyForm, sizedBody } from './answer-size.ts';
import { connectError, connectMethods, type RpcAnswer } from './connect.ts';
import { type FakeRule, isFake, type Performed, perform } from './fake.ts';
import { getTestResult, issueTan, type PhoneDeps, registerToken, submitKeys, submitKeysOnBehalf } from './phone.ts';
import type { PhoneRoute } from './phone-route.ts';
import type { PhoneGroup } from './route-group.ts';

/** Largest body in octets, as on the REST paths (S 1.6, 2.1). */
const limitOf = (group: PhoneGroup): number => (group === 'upload' ? 102_400 : 10_000);

const groups: Readonly<Partial<Record<string, PhoneGroup>>> = {
  RegisterToken: 'registration',
  GetTestResult: 'result',
  IssueTan: 'tan',
};

/** The handlers' word on what kind of answer theirs was, for the schedule. */
const kindOf = createContextKey<{ kind: AnswerKind }>({ kind: 'refused' });

/** The operations of the REST paths as Connect, gRPC-web and JSON calls: same handlers, schedule, sizes and headers. */
export function phoneConnectRoutes(deps: PhoneDeps): PhoneRoute[] {
  const methods = connectMethods((router) => serve(router, deps), limitOf('upload'));
  const withGroup = methods.map((method) => ({ method, group: groups[method.name] ?? ('upload' as const) }));
  return withGroup.map(({ method, group }) => ({
    path: method.path,
    group,
    limit: limitOf(group),
    refuse: () => undefined,
    tooLarge: sized(
      { status: 400, contentType: 'application/json', body: Buffer.from('{"code":"invalid_argument"}') },
      0,
    ),
    async answer(head, body) {
      const told: { kind: AnswerKind } = { kind: 'refused' };
      const answer = await method.call(head, body, createContextValues().set(kindOf, told));
      return { kind: told.kind, answer: sized(answer, method.paddingField) };
    },
  }));
}

function sized({ status, contentType, body }: RpcAnswer, paddingField: number): Answer {
  if (contentType === undefined) return emptyAnswer(status);
  return { status, headers: [['content-type', contentType]], body: sizedBody(formOf(contentType), body, paddingField) };
}

function formOf(contentType: string): BodyForm {
  if (contentType.startsWith('application/grpc-web')) return 'grpc-web';
  return contentType.startsWith('application/json') ? 'json' : 'protobuf';
}

const keyTypes: Partial<Record<PhoneKeyType, KeyType>> = {
  [PhoneKeyType.GUID]: KeyType.KEY_TYPE_GUID,
  [PhoneKeyType.TELETAN]: KeyType.KEY_TYPE_TELETAN,
};

function serve(router: ConnectRouter, deps: PhoneDeps): void {
  router.service(PhoneService, {
    registerToken: ({ keyType, key, keyDob }, context) =>
      told(
        context,
        perform(registerToken, { keyType: keyTypes[keyType], key, keyDob }, fake('verification', context), deps),
      ),
    getTestResult: ({ registrationToken }, context) =>
      told(context, perform(getTestResult, registrationToken, fake('verification', context), deps)),
    issueTan: ({ registrationToken }, context) =>
      told(context, perform(issueTan, registrationToken, fake('verification', context), deps)),
    async submitKeys({ payload }, context) {
      const asked = askedUpload(payload, context);
      const done = perform(submitKeys, asked, fake('submission', context), deps, { shapeless: true });
      return told(context, done);
    },
    async submitKeysOnBehalf({ payload }, context) {
      if (fake('submission', context)) throw connectError(404);
      return told(context, perform(submitKeysOnBehalf, askedUpload(payload, context), false, deps));
    },
  });
}

async function told<Told>(context: HandlerContext, performed: Promise<Performed<Told>>): Promise<Told> {
  const { kind, outcome } = await performed;
  context.values.get(kindOf).kind = kind;
  if ('refused' in outcome) throw connectError(outcome.refused);
  return outcome.value;
}

function fake(rule: FakeRule, { requestHeader }: HandlerContext): boolean {
  const value = isFake(rule, requestHeader.get('cwa-fake') ?? undefined);
  if (value === undefined) throw connectError(400);
  return value;
}

function askedUpload(payload: SubmissionPayload | undefined, { requestHeader }: HandlerContext) {
  return {
    payload: payload === undefined ? new Uint8Array() : toBinary(SubmissionPayloadSchema, payload),
    authorization: requestHeader.get('cwa-authorization') ?? undefined,
    otp: requestHeader.get('cwa-otp') ?? undefined,
  };
}
