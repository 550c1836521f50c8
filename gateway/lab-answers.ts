import type { Cap } from '../lib/telemetry/cap.ts';
import { errorFields, type Log } from '../lib/telemetry/log.ts';
import type { Metrics } from '../lib/telemetry/metrics.ts';
import { inTrace, type Traced } from '../lib/telemetry/tracing.ts';
import type { Clock } from '../lib/time/clock.ts';
import type { EdgeAlarms } from './alarms.ts';
import { type Answer, emptyAnswer, methodNotAllowed, notFound, overloaded } from './answer.ts';
import type { Header } from './answer-size.ts';
import { type IntakeMetrics, outcomeOf } from './intake-metrics.ts';
import type { Partner, PartnerRoute, Partners, TestRoute } from './partners.ts';
import { headOf, type RequestHead } from './phone-route.ts';
import type { RateLimits } from './rate-limits.ts';
import type { SyntheticRequests } from './synthetic-requests.ts';
import { type RawRequest, type RawResponse, writeRaw } from './raw-http.ts';
import { readBody } from './read-body.ts';

/** Largest body of the partners' port (decision 21). */
export const labLimit = 4 * 1024 * 1024;

/** One path of the partners' port; takes POST alone. */
export interface LabRoute {
  readonly path: string;
  /** What the partner must be allowed; undefined where the handler finds that out. */
  partnerRoute(): PartnerRoute | undefined;
  answer(head: RequestHead, body: Buffer, partner: Partner): Promise<Answer>;
}

export interface LabAnswersOptions {
  readonly partners: Partners;
  readonly date: () => string;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly limits: RateLimits;
  readonly intake: IntakeMetrics;
  readonly metrics: Metrics;
  readonly alarms: EdgeAlarms;
  readonly log: Log;
  readonly bodyTimeoutMs: number;
  /** Requests in hand above which new ones get 503. */
  readonly maxRequests: number;
  readonly requestsCap: Cap;
  /** Tells the prober's deliveries, which the same paths of `routes` serve and nothing counts (decision 35). */
  readonly synthetic?: { readonly requests: SyntheticRequests; readonly routes: ReadonlyMap<string, LabRoute> };
}

/** A request that somebody of the list made to a path that there is. */
interface Asked {
  readonly route: LabRoute;
  readonly partner: Partner;
  readonly synthetic: boolean;
}

const untraced: Traced = { set() {} };
const testRoutes: readonly TestRoute[] = ['lab', 'quicktest', 'pocnat'];

/** Where only the message will say which route it is, who may use none of them is refused before it is read. */
const mayCall = (partner: Partner, route: PartnerRoute | undefined): boolean =>
  (route === undefined ? testRoutes : [route]).some((one) => partner.mayUse(one));

/**
 * Serves the partners' port: an unlisted certificate gets 403 whatever it asks, and labs are answered at once. What a
 * partner posts begins a trace under the partner's name.
 */
export function labAnswers(options: LabAnswersOptions) {
  const { partners, date, clock, limits, intake, metrics, alarms, log } = options;
  let requests = 0;

  return async (route: LabRoute | undefined, request: RawRequest, response: RawResponse): Promise<void> => {
    const arrivedMs = clock.monotonicMs();
    requests++;
    options.requestsCap.saw(requests);
    const full = !limits.admits('partner') || requests > options.maxRequests;
    const partner = partners.of(request);
    const early = refusalOf(route, request.method, partner, full);
    try {
      if (early !== undefined || route === undefined || partner === undefined) {
        await serve(early ?? notFound, undefined, untraced);
      } else {
        const asked = askedOf(route, partner, request);
        await inTrace(`POST ${route.path}`, { kind: 'server', attributes: attributesOf(asked) }, (span) =>
          serve(undefined, asked, span),
        );
      }
    } finally {
      requests--;
    }

    async function serve(refusal: Answer | undefined, asked: Asked | undefined, span: Traced): Promise<void> {
      const limit = refusal === undefined ? labLimit : 0;
      const body = await readBody(request, response, limit, options.bodyTimeoutMs);
      if (body === 'cut') return;
      write(refusal ?? (await answerTo(asked as Asked, body)), asked?.synthetic === true, span);
    }

    async function answerTo(asked: Asked, body: Buffer | 'too-large'): Promise<Answer> {
      if (body === 'too-large') return emptyAnswer(413);
      try {
        return await asked.route.answer(headOf(request), body, asked.partner);
      } catch (error) {
        log.error('lab-answer-failed', errorFields(error));
        return emptyAnswer(500);
      }
    }

    function write(answer: Answer, synthetic: boolean, span: Traced): void {
      const length: Header[] = answer.status === 204 ? [] : [['content-length', String(answer.body.length)]];
      writeRaw(response, answer.status, [['date', date()], ...answer.headers, ...length], answer.body);
      span.set({ 'http.response.status_code': answer.status });
      if (synthetic) return;
      const outcome = outcomeOf(answer.status);
      intake.count('partner', answer === overloaded ? 'shed' : outcome, clock.monotonicMs() - arrivedMs);
      // Whoever is not in the list has no row.
      if (partner !== undefined) {
        metrics.count('cwa.lab.requests', { 'cwa.partner': partner.name, 'cwa.outcome': outcome });
      }
    }
  };

  /** What need not be read to be refused. */
  function refusalOf(
    route: LabRoute | undefined,
    method: string | undefined,
    partner: Partner | undefined,
    full: boolean,
  ): Answer | undefined {
    if (partner === undefined || !mayCall(partner, route?.partnerRoute())) {
      alarms.partnerRefused(partner === undefined ? 'unlisted' : 'route', partner?.name);
      return emptyAnswer(403);
    }
    if (route === undefined) return notFound;
    if (method !== 'POST') return methodNotAllowed('POST');
    if (!full) return undefined;
    alarms.overload('partner');
    return overloaded;
  }

  /** Only the prober's own certificate may deliver uncounted: the secret alone would hide what a laboratory does. */
  function askedOf(route: LabRoute, partner: Partner, request: RawRequest): Asked {
    const synthetic =
      partner.mayUse('probe') && options.synthetic?.requests.recognise(route.path, headOf(request)) === true;
    return { route: (synthetic ? options.synthetic?.routes.get(route.path) : route) ?? route, partner, synthetic };
  }
}

const attributesOf = ({ route, partner, synthetic }: Asked) => ({
  'http.request.method': 'POST',
  'http.route': route.path,
  'cwa.partner': partner.name,
  ...(synthetic ? { 'cwa.synthetic': true } : {}),
});
