import { errorFields, type Log } from '../lib/telemetry/log.ts';
import type { Clock } from '../lib/time/clock.ts';
import { type Answer, emptyAnswer, methodNotAllowed, notFound, overloaded } from './answer.ts';
import type { Header } from './answer-size.ts';
import { type IntakeMetrics, outcomeOf } from './intake-metrics.ts';
import type { Partner, PartnerRoute, Partners } from './partners.ts';
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
  readonly metrics: IntakeMetrics;
  readonly log: Log;
  readonly bodyTimeoutMs: number;
  /** Requests in hand above which new ones get 503. */
  readonly maxRequests: number;
  /** Tells the prober's deliveries, which the same paths of `routes` serve and nothing counts (decision 35). */
  readonly synthetic?: { readonly requests: SyntheticRequests; readonly routes: ReadonlyMap<string, LabRoute> };
}

/** Serves the partners' port: an unlisted certificate gets 403 whatever it asks, and labs are answered at once. */
export function labAnswers(options: LabAnswersOptions) {
  const { partners, date, clock, limits, metrics, log } = options;
  let requests = 0;

  return async (route: LabRoute | undefined, request: RawRequest, response: RawResponse): Promise<void> => {
    const arrivedMs = clock.monotonicMs();
    const full = !limits.admits('partner') || requests >= options.maxRequests;
    const partner = partners.of(request);
    const right = route?.partnerRoute();
    const twin =
      route !== undefined && options.synthetic?.requests.recognise(route.path, headOf(request))
        ? options.synthetic.routes.get(route.path)
        : undefined;
    const early =
      partner === undefined || (right !== undefined && !partner.mayUse(right))
        ? emptyAnswer(403)
        : route === undefined
          ? notFound
          : request.method !== 'POST'
            ? methodNotAllowed('POST')
            : full
              ? overloaded
              : undefined;
    requests++;
    try {
      const body = await readBody(request, response, early === undefined ? labLimit : 0, options.bodyTimeoutMs);
      if (body === 'cut') return;
      if (early !== undefined) return write(early);
      if (body === 'too-large') return write(emptyAnswer(413));
      write(await (twin ?? (route as LabRoute)).answer(headOf(request), body, partner as Partner));
    } catch (error) {
      log.error('lab-answer-failed', errorFields(error));
      write(emptyAnswer(500));
    } finally {
      requests--;
    }

    function write(answer: Answer): void {
      const length: Header[] = answer.status === 204 ? [] : [['content-length', String(answer.body.length)]];
      writeRaw(response, answer.status, [['date', date()], ...answer.headers, ...length], answer.body);
      const outcome = answer === overloaded ? 'shed' : outcomeOf(answer.status);
      if (twin === undefined) metrics.count('partner', outcome, clock.monotonicMs() - arrivedMs);
    }
  };
}
