/**
 * Types that a handler set and a client share, read off a generated grpc-js definition. A test can therefore hand in
 * three lines, or another service's real handlers, where production hands in a client.
 */

/** What a handler knows of the call it serves, and what it passes on when it calls further. */
export interface Call {
  readonly signal: AbortSignal;
  /** Milliseconds on `Clock.monotonicMs()` by which the answer must have left. */
  readonly deadline: number;
  /** Process name from the peer certificate's SAN, for example `gateway`. */
  readonly peer: string;
  /** Made by the prober: counts in no quota and no metric, and may be traced (decision 35). */
  readonly synthetic?: boolean;
}

/** What a client needs of the call on whose behalf it calls; both are optional at the origin of a call. */
export type CallContext = Partial<Pick<Call, 'signal' | 'deadline' | 'synthetic'>>;

interface MethodDefinition {
  path: string;
  requestStream: boolean;
  responseStream: boolean;
  requestDeserialize(bytes: Buffer): unknown;
  responseDeserialize(bytes: Buffer): unknown;
}

export type ServiceDefinition = Record<string, MethodDefinition>;

type Request<M extends MethodDefinition> = ReturnType<M['requestDeserialize']>;
type Response<M extends MethodDefinition> = ReturnType<M['responseDeserialize']>;

/** The handlers of a service: unary methods answer a promise, server-streaming ones an async iterable. */
export type Handlers<S> = {
  [K in keyof S]: S[K] extends MethodDefinition
    ? S[K]['responseStream'] extends true
      ? (request: Request<S[K]>, call: Call) => AsyncIterable<Response<S[K]>>
      : (request: Request<S[K]>, call: Call) => Promise<Response<S[K]>>
    : never;
};

/** The client of a service: as the handlers, but the context of the call may be left out. */
export type Client<S> = {
  [K in keyof S]: S[K] extends MethodDefinition
    ? S[K]['responseStream'] extends true
      ? (request: Request<S[K]>, context?: CallContext) => AsyncIterable<Response<S[K]>>
      : (request: Request<S[K]>, context?: CallContext) => Promise<Response<S[K]>>
    : never;
};
