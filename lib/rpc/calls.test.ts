import { Metadata } from '@grpc/grpc-js';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { RegistrationServiceService, TanServiceService } from '../../gen/mesh/cwa/verification/v1/verification.ts';
import { breakableLink } from '../testing/breakable-link.ts';
import { type TestServer, serve, someHandlers } from '../testing/rpc.ts';
import { shiftedClock, systemClock } from '../time/clock.ts';
import type { Call, Client, Handlers } from './api.ts';
import { clientOf } from './client.ts';
import { permissionDenied, RpcError, unavailable } from './errors.ts';
import { bind } from './server.ts';

const tanName = 'cwa.verification.v1.TanService';
const registrationName = 'cwa.verification.v1.RegistrationService';

type TanHandlers = Handlers<typeof TanServiceService>;
type RegistrationHandlers = Handlers<typeof RegistrationServiceService>;

let server: TestServer;
let tans: Client<typeof TanServiceService>;
let registrations: Client<typeof RegistrationServiceService>;
let confirm: TanHandlers['confirmTans'];
let registerTokens: RegistrationHandlers['registerTokens'];
let getTestResults: RegistrationHandlers['getTestResults'];

const request = { reservationIds: ['00000000-0000-4000-8000-000000000000'] };
const services = [
  bind(
    tanName,
    TanServiceService,
    someHandlers<typeof TanServiceService>({ confirmTans: (r, call) => confirm(r, call) }),
  ),
  bind(
    registrationName,
    RegistrationServiceService,
    someHandlers<typeof RegistrationServiceService>({
      registerTokens: (r, call) => registerTokens(r, call),
      getTestResults: (r, call) => getTestResults(r, call),
    }),
  ),
];

beforeAll(async () => {
  server = await serve('verification', services, { maxReceiveBytes: 100_000 });
  tans = clientOf(await server.channel('submission'), tanName, TanServiceService);
  registrations = clientOf(await server.channel('gateway'), registrationName, RegistrationServiceService);
});
afterAll(() => server.stop());
afterEach(() => {
  server.log.lines.length = 0;
});

const failure = (answer: Promise<unknown>): Promise<RpcError> =>
  answer.then(
    () => expect.fail('the call was answered'),
    (error) => error,
  );

/** A call that ends when its signal is aborted, and what it was aborted with. */
function waiting(): {
  begun: Promise<Call>;
  ended: Promise<unknown>;
  handler: (r: unknown, call: Call) => Promise<never>;
} {
  const begun = Promise.withResolvers<Call>();
  const ended = Promise.withResolvers<unknown>();
  const handler = (_request: unknown, call: Call): Promise<never> =>
    new Promise((_resolve, reject) => {
      call.signal.addEventListener('abort', () => {
        ended.resolve(call.signal.reason);
        reject(call.signal.reason);
      });
      begun.resolve(call);
    });
  return { begun: begun.promise, ended: ended.promise, handler };
}

// Errors

test('an RpcError crosses with its code and reason and is not logged', async () => {
  confirm = async () => {
    throw permissionDenied('TAN_INVALID');
  };
  const error = await failure(tans.confirmTans(request));

  expect(error).toBeInstanceOf(RpcError);
  expect(error).toMatchObject({ code: 'PERMISSION_DENIED', reason: 'TAN_INVALID' });
  expect(server.log.lines).toEqual([]);
});

test.each([
  ['rejects', async () => Promise.reject(new TypeError('the TAN was 4711'))],
  [
    'throws before it returns a promise',
    () => {
      throw new TypeError('the TAN was 4711');
    },
  ],
])('a handler that %s: INTERNAL without text outside, name and place inside', async (_how, handler) => {
  confirm = handler;
  const error = await failure(tans.confirmTans(request));

  expect(error).toMatchObject({ code: 'INTERNAL', reason: 'INTERNAL' });
  expect(String((error.cause as Error).message)).not.toContain('4711');
  expect(server.log.lines).toMatchObject([{ level: 'error', event: 'rpc-failed', errorName: 'TypeError' }]);
  expect(server.log.lines[0]?.stack).toContain('calls.test.ts');
  expect(JSON.stringify(server.log.lines)).not.toContain('4711');
});

test('a response that cannot be encoded is logged and leaves as INTERNAL', async () => {
  registerTokens = async () => ({ outcomes: 7 }) as never;
  const error = await failure(registrations.registerTokens({ registrations: [] }));

  expect(error).toMatchObject({ code: 'INTERNAL' });
  expect(server.log.lines).toMatchObject([{ event: 'rpc-failed', errorName: 'TypeError' }]);
});

test('a request that cannot be encoded is a fault of the caller, thrown as it is', async () => {
  expect(await failure(tans.confirmTans({ reservationIds: 7 } as never))).toBeInstanceOf(TypeError);
});

test('a message above the limit is refused', async () => {
  confirm = async () => ({});
  const error = await failure(tans.confirmTans({ reservationIds: ['x'.repeat(200_000)] }));

  expect(error).toMatchObject({ code: 'RESOURCE_EXHAUSTED', reason: 'MESSAGE_TOO_LARGE' });
});

// Deadlines

test('a deadline shrinks by the margin on its way in', async () => {
  let leftMs = 0;
  confirm = async (_request, { deadline }) => {
    leftMs = deadline - systemClock.monotonicMs();
    return {};
  };
  await tans.confirmTans(request, { deadline: systemClock.monotonicMs() + 4_000 });

  expect(leftMs).toBeGreaterThan(1_000);
  expect(leftMs).toBeLessThanOrEqual(3_951);
});

test('two hops shrink it twice', async () => {
  let leftMs = 0;
  registerTokens = async (_request, call) => {
    await tans.confirmTans(request, { deadline: call.deadline });
    return { outcomes: [] };
  };
  confirm = async (_request, { deadline }) => {
    leftMs = deadline - systemClock.monotonicMs();
    return {};
  };
  await registrations.registerTokens({ registrations: [] }, { deadline: systemClock.monotonicMs() + 4_000 });

  expect(leftMs).toBeGreaterThan(1_000);
  expect(leftMs).toBeLessThanOrEqual(3_901);
});

test("the client's own deadline holds when the caller has more time or none", async () => {
  const quick = clientOf(await server.channel('submission'), tanName, TanServiceService, { deadlineMs: 3_000 });
  const left: number[] = [];
  confirm = async (_request, { deadline }) => {
    left.push(deadline - systemClock.monotonicMs());
    return {};
  };
  await quick.confirmTans(request);
  await quick.confirmTans(request, { deadline: systemClock.monotonicMs() + 60_000 });

  expect(left).toHaveLength(2);
  for (const ms of left) expect(ms).toBeLessThanOrEqual(3_001);
});

test('a call with less than 10 ms left is refused at once and never sent', async () => {
  let calls = 0;
  confirm = async () => {
    calls++;
    return {};
  };
  const error = await failure(tans.confirmTans(request, { deadline: systemClock.monotonicMs() + 55 }));

  expect(error).toMatchObject({ code: 'DEADLINE_EXCEEDED', reason: 'DEADLINE' });
  expect(calls).toBe(0);
});

test('a server does not begin a call that it cannot finish', async () => {
  let calls = 0;
  confirm = async () => {
    calls++;
    return {};
  };
  const channel = await server.channel('submission');
  await clientOf(channel, tanName, TanServiceService).confirmTans(request); // connected from now on
  const { path, requestSerialize, responseDeserialize } = TanServiceService.confirmTans;
  const error = await new Promise((resolve) => {
    const metadata = new Metadata();
    const options = { deadline: systemClock.nowMs() + 8 };
    channel.connection.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      request,
      metadata,
      options,
      resolve,
    );
  });

  expect(error).toMatchObject({ code: 4 });
  expect(calls).toBe(1);
});

test('at the deadline the caller hears DEADLINE_EXCEEDED and the handler is told to stop', async () => {
  const { ended, handler } = waiting();
  confirm = handler;
  const error = await failure(tans.confirmTans(request, { deadline: systemClock.monotonicMs() + 1_000 }));

  expect(error).toMatchObject({ code: 'DEADLINE_EXCEEDED', reason: 'DEADLINE' });
  expect(await ended).toMatchObject({ code: 'DEADLINE_EXCEEDED' });
  expect(server.log.lines).toEqual([]);
});

test("deadlines do not follow the mesh's clock", async () => {
  const clock = shiftedClock(systemClock, () => -5 * 365 * 24 * 3_600_000);
  confirm = async () => ({});
  const client = clientOf(await server.channel('submission', { clock }), tanName, TanServiceService);

  await expect(client.confirmTans(request, { deadline: clock.monotonicMs() + 4_000 })).resolves.toEqual({});
});

// Cancellation

test('a cancelled call stops the handler', async () => {
  const { begun, ended, handler } = waiting();
  confirm = handler;
  const controller = new AbortController();
  const answer = failure(tans.confirmTans(request, { signal: controller.signal }));
  await begun;
  controller.abort();

  expect(await answer).toMatchObject({ code: 'CANCELLED' });
  expect(await ended).toMatchObject({ code: 'CANCELLED' });
  expect(server.log.lines).toEqual([]);
});

test('a call on behalf of a cancelled one is never sent', async () => {
  const error = await failure(tans.confirmTans(request, { signal: AbortSignal.abort() }));
  expect(error).toMatchObject({ code: 'CANCELLED' });
});

test('the signal survives a copied call and stays quiet after the answer', async () => {
  let signal: AbortSignal | undefined;
  confirm = async (_request, call) => {
    ({ signal } = { ...call });
    return {};
  };
  await tans.confirmTans(request);
  await systemClock.sleep(20);

  expect(signal?.aborted).toBe(false);
});

// Retries

test('an idempotent call is tried three times', async () => {
  let attempts = 0;
  confirm = async () => {
    attempts++;
    throw unavailable('DATABASE');
  };
  expect(await failure(tans.confirmTans(request))).toMatchObject({ code: 'UNAVAILABLE', reason: 'DATABASE' });
  expect(attempts).toBe(3);
});

test('an idempotent call succeeds when a later attempt does', async () => {
  let attempts = 0;
  confirm = async () => {
    if (++attempts < 3) throw unavailable('DATABASE');
    return {};
  };
  await expect(tans.confirmTans(request)).resolves.toEqual({});
});

test('a call that is not listed as idempotent is tried once', async () => {
  let attempts = 0;
  registerTokens = async () => {
    attempts++;
    throw unavailable('DATABASE');
  };
  expect(await failure(registrations.registerTokens({ registrations: [] }))).toMatchObject({
    code: 'UNAVAILABLE',
  });
  expect(attempts).toBe(1);
});

test.each(['INTERNAL', 'DEADLINE_EXCEEDED', 'RESOURCE_EXHAUSTED', 'FAILED_PRECONDITION'] as const)(
  'an idempotent call that fails with %s is tried once',
  async (code) => {
    let attempts = 0;
    confirm = async () => {
      attempts++;
      throw new RpcError(code, 'PLANTED');
    };
    expect(await failure(tans.confirmTans(request))).toMatchObject({ code, reason: 'PLANTED' });
    expect(attempts).toBe(1);
  },
);

test('retries end with the deadline', async () => {
  let attempts = 0;
  confirm = async () => {
    attempts++;
    throw unavailable('DATABASE');
  };
  // The third attempt would come 80 + 240 ms after the first at the earliest.
  await failure(tans.confirmTans(request, { deadline: systemClock.monotonicMs() + 180 }));

  expect(attempts).toBeLessThan(3);
});

test('when the connection breaks under a call, it is repeated if idempotent and fails if not', async () => {
  const link = await breakableLink(server.port);
  let attempts = 0;
  const breaking = async (): Promise<{ outcomes: [] }> => {
    if (++attempts === 1) {
      link.cut();
      await systemClock.sleep(50);
    }
    return { outcomes: [] };
  };
  [registerTokens, getTestResults] = [breaking, breaking];
  const channel = await server.channel('gateway', { address: link.address });
  const client = clientOf(channel, registrationName, RegistrationServiceService);

  await client.getTestResults({ registrationTokens: [] });
  expect(attempts).toBe(2);
  attempts = 0;
  const error = await failure(client.registerTokens({ registrations: [] }));
  expect(error).toMatchObject({ code: 'UNAVAILABLE', reason: 'UNREACHABLE' });
  expect(attempts).toBe(1);
  await link.close();
});

test('a connection that died in silence is found, and the call repeated, before a phone gives up after 20 s (S 5.3)', async () => {
  const link = await breakableLink(server.port);
  let attempts = 0;
  getTestResults = async () => {
    if (++attempts === 1) link.silence();
    return { outcomes: [] };
  };
  const channel = await server.channel('gateway', { address: link.address });
  const client = clientOf(channel, registrationName, RegistrationServiceService, { deadlineMs: 20_000 });

  await client.getTestResults({ registrationTokens: [] });
  expect([attempts, link.connections()]).toEqual([2, 2]);
  await link.close();
}, 60_000);

test('a handler set that does not fit the name is refused when it is bound', () => {
  expect(() => bind('cwa.verification.v1.Other', TanServiceService, someHandlers({}))).toThrow('does not define');
});

// Graceful stop

test('a stop lets calls in flight end and takes no new ones', async () => {
  const own = await serve('verification', services);
  const release = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  confirm = async () => {
    begun.resolve();
    await release.promise;
    return {};
  };
  const client = clientOf(await own.channel('submission'), tanName, TanServiceService);
  const inFlight = client.confirmTans(request);
  await begun.promise;
  const closed = own.close();
  const late = clientOf(await own.channel('submission'), tanName, TanServiceService, { deadlineMs: 1_000 });

  expect(await failure(late.confirmTans(request))).toMatchObject({ code: 'UNAVAILABLE' });
  release.resolve();
  await expect(inFlight).resolves.toEqual({});
  await closed;
  expect(own.log.lines.filter(({ event }) => event === 'rpc-calls-cut')).toEqual([]);
  await own.stop();
});

test('a stop cuts what has not ended after the grace time', async () => {
  const own = await serve('verification', services, { graceMs: 100 });
  const { begun, ended, handler } = waiting();
  confirm = handler;
  const client = clientOf(await own.channel('submission'), tanName, TanServiceService);
  const answer = failure(client.confirmTans(request));
  await begun;
  await own.close();

  expect(await answer).toBeInstanceOf(RpcError);
  expect(await ended).toBeInstanceOf(RpcError);
  expect(own.log.lines).toMatchObject([{ event: 'rpc-calls-cut' }]);
  await own.stop();
});

test('a port that is taken ends the start with a sentence that names the setting', async () => {
  const start = serve('verification', [], { port: server.port, pki: server.pki, portSetting: 'VERIFICATION_RPC_PORT' });

  await expect(start).rejects.toThrow(`VERIFICATION_RPC_PORT: port ${server.port} cannot be opened`);
});
