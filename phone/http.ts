/** The network as a phone sees it; handed in, so that a phone runs against a socket, a handler or a table. */
export type Http = (request: HttpRequest) => Promise<HttpResponse>;

export interface HttpRequest {
  method: 'GET' | 'POST';
  /** Path on the host that the function stands for. */
  path: string;
  headers: Record<string, string>;
  body?: Buffer;
}

export interface HttpResponse {
  status: number;
  /** Names in lower case; several lines of one name are joined by a comma. */
  headers: Record<string, string>;
  body: Buffer;
}

/** One request and its answer, without content: what a demonstration may print. */
export interface ExchangeEvent {
  kind: 'exchange';
  method: string;
  path: string;
  /** Cover traffic: a request that means nothing (P S-9). */
  fake: boolean;
  requestBytes: number;
  responseBytes: number;
  status: number;
  ms: number;
}

/** `http` that reports every exchange; a request that fails is not reported, its error passes through. */
export function reporting(http: Http, now: () => number, report: (event: ExchangeEvent) => void): Http {
  return async (request) => {
    const before = now();
    const response = await http(request);
    report({
      kind: 'exchange',
      method: request.method,
      path: request.path,
      fake: request.headers['cwa-fake'] === '1',
      requestBytes: request.body?.length ?? 0,
      responseBytes: response.body.length,
      status: response.status,
      ms: now() - before,
    });
    return response;
  };
}

/** Why a phone could not go on. Carries no token, key or address. */
export type PhoneFault = 'QR_CODE' | 'TELE_TAN' | 'NOT_REGISTERED' | 'UNREADABLE_ANSWER' | 'CONFIGURATION_MISSING';

export class PhoneError extends Error {
  readonly reason: PhoneFault;

  constructor(reason: PhoneFault, options?: ErrorOptions) {
    super(`the phone cannot go on: ${reason}`, options);
    this.name = 'PhoneError';
    this.reason = reason;
  }
}
