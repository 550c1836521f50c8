/** A request as it goes over the wire, for tests that must be able to send what no client library would. */
export interface WireRequest {
  readonly method?: string;
  readonly path: string;
  readonly headers?: readonly (readonly [name: string, value: string])[];
  readonly body?: Uint8Array;
  /** HTTP/1.1 only: in one chunk without a length. */
  readonly chunked?: boolean;
}

export interface WireAnswer {
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  /** Octets of the header block as they came; over HTTP/2 rebuilt from the headers. */
  readonly head: string;
  /** From the last octet of the request to the first of the answer. */
  readonly ms: number;
}

/** The server ended the connection or stream without an answer, or gave none in time. */
export type NoAnswer = 'closed' | 'silent';

export interface WireClient {
  /** One request at a time for each client. */
  send(request: WireRequest): Promise<WireAnswer | NoAnswer>;
  close(): void;
}

/** Longer than any answer may take. */
export const answerLimitMs = 15_000;

/** The answer, or an error that says which there was none. */
export function answered(answer: WireAnswer | NoAnswer): WireAnswer {
  if (typeof answer === 'string') throw new Error(`no answer: ${answer}`);
  return answer;
}
