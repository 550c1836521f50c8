import type { Cap } from '../lib/telemetry/cap.ts';
import { inTrace } from '../lib/telemetry/tracing.ts';
import type { Clock } from '../lib/time/clock.ts';
import type { EdgeAlarms } from './alarms.ts';
import { type Answer, emptyAnswer, methodNotAllowed, overloaded } from './answer.ts';
import type { AnswerKind, Schedule } from './answer-schedule.ts';
import { sizedHeaders } from './answer-size.ts';
import type { FakeShare } from './fake-share.ts';
import type { FailureTally } from './failure-tally.ts';
import { type IntakeMetrics, outcomeOf } from './intake-metrics.ts';
import { headOf, type PhoneRoute, type RequestHead, type Routed } from './phone-route.ts';
import type { RateLimits } from './rate-limits.ts';
import type { SyntheticRequests } from './synthetic-requests.ts';
import { type RawRequest, type RawResponse, writeRaw } from './raw-http.ts';
import { type BodyBudget, readBody } from './read-body.ts';

export interface PhoneAnswersOptions {
  readonly schedule: Schedule;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly limits: RateLimits;
  readonly metrics: IntakeMetrics;
  readonly fakeShare: FakeShare;
  readonly alarms: EdgeAlarms;
  /** Of `maxRequests` and `maxHeldBytes`. */
  readonly caps: { readonly requests: Cap; readonly heldBytes: Cap };
  readonly date: () => string;
  readonly failures: FailureTally;
  /** Requests in hand above which new ones get 503 (decision 16). */
  readonly maxRequests: number;
  /** Octets of bodies in memory above which new ones get 503. */
  readonly maxHeldBytes: number;
  readonly bodyTimeoutMs: number;
  readonly synthetic?: SyntheticRoutes;
}

/** How the prober's requests are told and served: by routes of the same paths, on the same schedule (decision 35). */
export interface SyntheticRoutes {
  readonly requests: SyntheticRequests;
  readonly routes: ReadonlyMap<string, PhoneRoute>;
}

/**
 * Serves one request of a phone route, from its head to the moment its answer leaves. Real, fake and refused requests
 * go through the same steps; what they are decides only which answer lies ready when the slot opens.
 */
export function phoneAnswers(options: PhoneAnswersOptions) {
  const { schedule, clock, limits, metrics, fakeShare, alarms, caps, date, failures } = options;
  const held: BodyBudget = { held: 0 };
  let requests = 0;

  return async (route: PhoneRoute, request: RawRequest, response: RawResponse): Promise<void> => {
    const slot = schedule.arrive(route.group);
    const arrivedMs = clock.monotonicMs();
    // Before anything of the request is looked at: whether it is fake must not decide who is shed.
    const full = !limits.admits(route.group) || requests >= options.maxRequests || held.held >= options.maxHeldBytes;
    requests++;
    caps.requests.saw(requests);
    caps.heldBytes.saw(held.held);
    if (full) alarms.overload(route.group);
    let done = false;
    const end = (): void => {
      if (done) return;
      done = true;
      requests--;
      slot.abandon();
    };
    response.once('close', end);

    const head = headOf(request);
    const twin = options.synthetic?.requests.recognise(route.path, head)
      ? options.synthetic.routes.get(route.path)
      : undefined;
    const early = full ? overloaded : request.method === 'POST' ? route.refuse(head) : methodNotAllowed('POST');
    // A body that nobody will look at is let go by, not kept.
    const body = await readBody(request, response, early === undefined ? route.limit : 0, options.bodyTimeoutMs, held);
    slot.bodyEnded();
    if (body === 'cut') return end();

    const { kind, answer } = await routedOf(early, body);
    // What becomes of synthetic requests teaches the schedule nothing: fakes shall look like those of people.
    slot.ready(twin !== undefined && kind === 'accepted' ? 'refused' : kind, () => {
      writeRaw(response, answer.status, sizedHeaders(answer, date()), answer.body, { neverIndexed: true });
      if (twin === undefined) counted(answer, kind);
      end();
    });

    function counted({ status }: Answer, kind: AnswerKind): void {
      metrics.count(route.group, full ? 'shed' : outcomeOf(status), clock.monotonicMs() - arrivedMs);
      if (!full) fakeShare.add(kind === 'fake');
    }

    async function routedOf(refusal: Answer | undefined, read: Buffer | 'too-large'): Promise<Routed> {
      if (refusal !== undefined) return { kind: 'refused', answer: refusal };
      if (read === 'too-large') return { kind: 'refused', answer: route.tooLarge };
      try {
        return await (twin === undefined ? route.answer(head, read) : traced(twin, head, read));
      } catch (error) {
        failures.add(error);
        return { kind: 'refused', answer: emptyAnswer(500) };
      }
    }
  };
}

/** The one kind of phone request that may be traced: nobody's phone made it (decision 34). */
function traced(route: PhoneRoute, head: RequestHead, body: Buffer): Promise<Routed> {
  const attributes = { 'http.request.method': 'POST', 'http.route': route.path, 'cwa.synthetic': true };
  return inTrace(`POST ${route.path}`, { kind: 'server', attributes }, async (span) => {
    const routed = await route.answer(head, body);
    span.set({ 'http.response.status_code': routed.answer.status });
    return routed;
  });
}
