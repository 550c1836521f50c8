/** What the load generator asks for; a plain object, because it crosses to another process. */
export type Requests =
  /** POSTs of 14 fresh random keys, each with the next seeded TAN. */
  | {
      readonly kind: 'uploads';
      readonly seed: string;
      /** The first TAN to use; default 0. */
      readonly first?: number;
      readonly count: number;
      readonly nowSeconds: number;
    }
  /** POSTs of seeded registration tokens, in turn. */
  | { readonly kind: 'polls'; readonly seed: string; readonly count: number }
  /** GETs of paths, in turn; with the ETag of each where one is given. */
  | { readonly kind: 'downloads'; readonly paths: readonly string[]; readonly etags?: readonly string[] };

export interface LoadJob {
  readonly port: number;
  /** PEM of the authority that signed the gateway's certificate. */
  readonly ca: string;
  readonly connections: number;
  /**
   * Before each request a connection waits for a random time up to this; default 0. With a floor they would come
   * in step: one stall makes a crowd of them, and a crowd that is answered together comes again together.
   */
  readonly pauseMs?: number;
  readonly warmUpMs: number;
  readonly measureMs: number;
  /** Any other status makes the run fail. */
  readonly expectedStatus: number;
  readonly requests: Requests;
}

export interface LoadResult {
  /** Answers with the expected status during the measured time. */
  readonly answers: number;
  readonly seconds: number;
  /** Milliseconds from the request's first octet to the answer's last. */
  readonly p50: number;
  readonly p99: number;
  /** Octets received a second, TLS not counted. */
  readonly bytesPerSecond: number;
}

/** What the generator tells its parent, in this order. */
export type LoadMessage =
  | { readonly phase: 'measuring' }
  | { readonly phase: 'measured' }
  | { readonly phase: 'result'; readonly result: LoadResult }
  | { readonly phase: 'failed'; readonly reason: string };
