import type { KeyObject } from 'node:crypto';
import { FormatError } from '../lib/exposure/format-error.ts';
import {
  BUILT_IN_CONFIGURATION,
  ConfigurationError,
  type PhoneConfiguration,
  readConfiguration,
} from './configuration.ts';
import type { Http, HttpResponse } from './http.ts';
import { openAndroidConfiguration, PackageError } from './package-check.ts';

const PATH = '/version/v2/app_config_android';
const DEFAULT_AGE_SECONDS = 300;

export type ConfigurationOutcome = 'FRESH' | 'UPDATED' | 'UNCHANGED' | { refused: string };

/** Fetches and keeps the configuration; whatever fails leaves the last good one in force (P V-10, D 3.7). */
export class ConfigurationClient {
  readonly #http: Http;
  readonly #keys: readonly KeyObject[];
  #current: PhoneConfiguration = BUILT_IN_CONFIGURATION;
  #etag: string | undefined;
  #freshUntilSeconds = Number.NEGATIVE_INFINITY;
  #clockOffsetSeconds: number | undefined;

  constructor(http: Http, keys: Iterable<KeyObject>) {
    this.#http = http;
    this.#keys = [...keys];
  }

  get current(): PhoneConfiguration {
    return this.#current;
  }

  /** Device time minus server time as of the last answer (P D-9); undefined before the first one. */
  get clockOffsetSeconds(): number | undefined {
    return this.#clockOffsetSeconds;
  }

  /** Asks the server when the cached answer is too old. Network errors pass through. */
  async refresh(deviceNowSeconds: number): Promise<ConfigurationOutcome> {
    if (deviceNowSeconds < this.#freshUntilSeconds) return 'FRESH';
    const headers: Record<string, string> = this.#etag === undefined ? {} : { 'if-none-match': this.#etag };
    const response = await this.#http({ method: 'GET', path: PATH, headers });
    const serverMs = Date.parse(response.headers['date'] ?? '');
    if (!Number.isNaN(serverMs)) this.#clockOffsetSeconds = deviceNowSeconds - Math.floor(serverMs / 1000);
    if (response.status !== 200 && response.status !== 304) return { refused: `status ${response.status}` };
    this.#freshUntilSeconds = deviceNowSeconds + maxAge(response);
    return response.status === 304 ? 'UNCHANGED' : this.#take(response);
  }

  async #take(response: HttpResponse): Promise<ConfigurationOutcome> {
    const etag = singleEtag(response);
    if (etag === undefined) return { refused: 'no single ETag' };
    try {
      this.#current = readConfiguration(await openAndroidConfiguration(response.body, this.#keys));
    } catch (error) {
      if (error instanceof FormatError || error instanceof PackageError || error instanceof ConfigurationError) {
        return { refused: error.message };
      }
      throw error;
    }
    this.#etag = etag;
    return 'UPDATED';
  }
}

/** The ETag of an answer; undefined when there is none or more than one (P D-6, D 3.6). */
export function singleEtag({ headers }: HttpResponse): string | undefined {
  const etag = headers['etag'];
  return etag !== undefined && /^(W\/)?"[^"]*"$/.test(etag.trim()) ? etag.trim() : undefined;
}

function maxAge({ headers }: HttpResponse): number {
  const seconds = Number(/max-age=(\d+)/.exec(headers['cache-control'] ?? '')?.[1] ?? 0);
  return seconds === 0 ? DEFAULT_AGE_SECONDS : seconds;
}
