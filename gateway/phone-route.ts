import type { Answer } from './answer.ts';
import type { AnswerKind } from './answer-schedule.ts';
import type { PhoneGroup } from './route-group.ts';
import type { RawRequest } from './raw-http.ts';

/** What handlers may see of a request's head: the headers they name, nothing of the connection. */
export interface RequestHead {
  header(name: string): string | undefined;
}

export interface Routed {
  readonly kind: AnswerKind;
  readonly answer: Answer;
}

/** One path of the phones' port that takes POST alone and answers on the schedule. */
export interface PhoneRoute {
  readonly path: string;
  readonly group: PhoneGroup;
  /** Largest body in octets. */
  readonly limit: number;
  /** A refusal that the head alone decides. */
  refuse(head: RequestHead): Answer | undefined;
  readonly tooLarge: Answer;
  answer(head: RequestHead, body: Buffer): Promise<Routed> | Routed;
}

export function headOf(request: RawRequest): RequestHead {
  return {
    header: (name) => {
      const value = request.headers[name];
      return Array.isArray(value) ? value.join(', ') : value;
    },
  };
}
