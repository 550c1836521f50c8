import type { Blob } from '../lib/blob/blob.ts';
import type { Clock } from '../lib/time/clock.ts';
import type { EdgeAlarms } from './alarms.ts';
import { type Answer, methodNotAllowed, notFound, overloaded } from './answer.ts';
import type { Header } from './answer-size.ts';
import { artifactOf } from './artifact.ts';
import type { Download, Downloads } from './downloads.ts';
import { type IntakeMetrics, outcomeOf } from './intake-metrics.ts';
import { headOf } from './phone-route.ts';
import type { RateLimits } from './rate-limits.ts';
import type { SyntheticRequests } from './synthetic-requests.ts';
import { type RawRequest, type RawResponse, writeRaw } from './raw-http.ts';

const wrongVerb = methodNotAllowed('GET', 'HEAD');
const nothing = Buffer.alloc(0);

/** Characters of the keys that distribution publishes; anything else, escapes included, names no object. */
const keyForm = /^version(?:\/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*$/;
const longestKey = 256;

export interface DownloadAnswersOptions {
  readonly downloads: Downloads;
  readonly date: () => string;
  readonly clock: Pick<Clock, 'monotonicMs'>;
  readonly limits: RateLimits;
  readonly metrics: IntakeMetrics;
  readonly alarms: EdgeAlarms;
  /** Requests that are served and not counted. */
  readonly synthetic?: SyntheticRequests;
}

/** Serves `/version/…` from the object store (D 2.8): GET and HEAD, one quoted ETag, a length, never compressed. */
export function downloadAnswers(options: DownloadAnswersOptions) {
  const { downloads, date, clock, limits, metrics, alarms, synthetic } = options;
  return (request: RawRequest, response: RawResponse): void => {
    const arrivedMs = clock.monotonicMs();
    const shed = !limits.admits('download');
    const uncounted = synthetic?.recognise((request.url ?? '').split('?', 1)[0] ?? '', headOf(request)) === true;
    const key = keyOf(request.url ?? '');
    const written = (status: number): void => {
      if (uncounted) return;
      metrics.count('download', shed ? 'shed' : outcomeOf(status), clock.monotonicMs() - arrivedMs);
      if (status !== wrongVerb.status) metrics.download(artifactOf(key), status);
    };
    // What a caller sends along is let go of; an answer must not wait for it.
    request.resume();
    if (shed) {
      alarms.overload('download');
      return written(write(response, overloaded));
    }
    if (key === undefined) return written(write(response, notFound));
    const found = downloads.get(key);
    if (found instanceof Promise) void found.then((download) => written(serve(request, response, download)));
    else written(serve(request, response, found));
  };

  /** Answers the status that was written. */
  function serve(request: RawRequest, response: RawResponse, download: Download): number {
    if (download === 'absent') return write(response, notFound);
    if (download === 'unavailable') return write(response, overloaded);
    if (request.method !== 'GET' && request.method !== 'HEAD') return write(response, wrongVerb);
    const headers = headersOf(download);
    if (matches(request.headers['if-none-match'], headers.etag)) {
      writeRaw(response, 304, [['date', date()], ...headers.unchanged], nothing);
      return 304;
    }
    writeRaw(response, 200, [['date', date()], ...headers.whole], request.method === 'HEAD' ? nothing : download.body);
    return 200;
  }

  function write(response: RawResponse, { status, headers, body }: Answer): number {
    writeRaw(response, status, [['date', date()], ...headers, ['content-length', '0']], body);
    return status;
  }
}

/** `/version/v1/x?y` asks for the object `version/v1/x`: keys have no leading slash. */
function keyOf(url: string): string | undefined {
  const query = url.indexOf('?');
  const key = query === -1 ? url.slice(1) : url.slice(1, query);
  return key.length <= longestKey && keyForm.test(key) ? key : undefined;
}

interface DownloadHeaders {
  readonly etag: string;
  readonly whole: readonly Header[];
  readonly unchanged: readonly Header[];
}

const made = new WeakMap<Blob, DownloadHeaders>();

function headersOf(blob: Blob): DownloadHeaders {
  const known = made.get(blob);
  if (known !== undefined) return known;
  const etag = /^(W\/)?".*"$/.test(blob.etag) ? blob.etag : `"${blob.etag}"`;
  const unchanged: Header[] = [['etag', etag]];
  if (blob.cacheControl !== undefined) unchanged.push(['cache-control', blob.cacheControl]);
  const whole: Header[] = [
    ['content-type', blob.contentType ?? 'application/octet-stream'],
    ['content-length', String(blob.body.length)],
    ...unchanged,
  ];
  const headers = { etag, whole, unchanged };
  made.set(blob, headers);
  return headers;
}

/** Weak comparison, as RFC 9110 13.1.2 wants it for GET. */
function matches(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  const plain = (tag: string): string => tag.trim().replace(/^W\//, '');
  return ifNoneMatch.trim() === '*' || ifNoneMatch.split(',').some((tag) => plain(tag) === plain(etag));
}
