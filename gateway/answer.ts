/** What the gateway will write: names in lower case, no date, no length, no padding (they are added on the way out). */
export interface Answer {
  readonly status: number;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Buffer;
}

const nothing = Buffer.alloc(0);

/** An answer without a body; all of REST's refusals are of this kind (decision 11). */
export function emptyAnswer(status: number, headers: Answer['headers'] = []): Answer {
  return { status, headers, body: nothing };
}

export const notFound = emptyAnswer(404);
export const overloaded = emptyAnswer(503, [['retry-after', '60']]);
export const methodNotAllowed = (...allowed: string[]): Answer => emptyAnswer(405, [['allow', allowed.join(', ')]]);
