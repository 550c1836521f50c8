import type { BlobStore } from '../lib/blob/blob.ts';
import { errorFields, type Log } from '../lib/telemetry/log.ts';
import type { EdgeAlarms } from './alarms.ts';
import { type Answer, emptyAnswer, methodNotAllowed, notFound, overloaded } from './answer.ts';
import type { Partners } from './partners.ts';
import type { RateLimits } from './rate-limits.ts';
import { type RawRequest, type RawResponse, writeRaw } from './raw-http.ts';

export interface ProbeAnswersOptions {
  readonly partners: Partners;
  readonly store: Pick<BlobStore, 'get'>;
  readonly date: () => string;
  readonly limits: RateLimits;
  readonly alarms: EdgeAlarms;
  readonly log: Log;
}

/** Hours since 1970, as distribution names the archives; nothing else of the store can be asked for. */
const pathForm = /^\/probe\/(\d{1,7})$/;

/**
 * Serves the signed archives of the prober's keys (decision 35) on the partners' port, to partners whose list names the
 * route `probe`. Counted nowhere: nothing here is anybody's.
 */
export function probeAnswers({ partners, store, date, limits, alarms, log }: ProbeAnswersOptions) {
  return async (request: RawRequest, response: RawResponse): Promise<void> => {
    request.resume();
    const { status, headers, body } = await answerTo(request);
    const length = ['content-length', String(body.length)] as const;
    writeRaw(response, status, [['date', date()], ...headers, length], body);
  };

  async function answerTo(request: RawRequest): Promise<Answer> {
    const partner = partners.of(request);
    if (partner?.mayUse('probe') !== true) {
      alarms.partnerRefused(partner === undefined ? 'unlisted' : 'route', partner?.name);
      return emptyAnswer(403);
    }
    const hour = pathForm.exec(request.url ?? '')?.[1];
    if (hour === undefined) return notFound;
    if (request.method !== 'GET') return methodNotAllowed('GET');
    if (!limits.admits('partner')) return overloaded;
    try {
      const blob = await store.get(`probe/${hour}`);
      if (blob === undefined) return notFound;
      return { status: 200, headers: [['content-type', 'application/zip']], body: blob.body };
    } catch (error) {
      log.warn('probe-archive-not-read', errorFields(error));
      return overloaded;
    }
  }
}
