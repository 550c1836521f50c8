/** What the measuring process is asked; a plain object, because it crosses to another process. */
export interface PrivacyJob {
  readonly port: number;
  readonly ca: string;
  /** Requests in flight for each surface. */
  readonly lanes: number;
  /** For each lane; half of them fake. */
  readonly requests: number;
  readonly nowSeconds: number;
  readonly seed: {
    readonly tans: string;
    readonly firstTan: number;
    readonly tokens: string;
    readonly tokenCount: number;
  };
}

export interface SeenOfSurface {
  readonly name: string;
  readonly ms: { readonly real: number[]; readonly fake: number[] };
  readonly octets: { readonly real: number[]; readonly fake: number[] };
  /** Answers that were no success. */
  failed: number;
}

export type PrivacyMessage =
  | { readonly phase: 'seen'; readonly surfaces: readonly SeenOfSurface[]; readonly tansUsed: number }
  | { readonly phase: 'failed'; readonly reason: string };
