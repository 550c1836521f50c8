/** What `operations/status.graphql` answers; a part that belongs to another team is null. */
export interface Status {
  readonly me: { readonly team: string };
  readonly services: Page<{
    readonly name: string;
    readonly health: string;
    readonly instances: Page<{
      readonly health: string;
      readonly version: string | null;
      readonly commit: string | null;
      readonly uptimeSeconds: number | null;
      readonly lastSeen: string | null;
      readonly dependencies: readonly { readonly name: string; readonly up: boolean }[];
    }>;
  }> | null;
  readonly certificates: Page<{
    readonly process: string;
    readonly name: string;
    readonly remainingDays: number;
  }> | null;
  readonly capacity: Page<{
    readonly process: string;
    readonly usedPercent: number | null;
    readonly caps: Page<{ readonly name: string; readonly highestPercent: number | null }>;
  }> | null;
  readonly intake: {
    readonly uploadsAccepted: Trend;
    readonly downloads: Trend;
    readonly fakeShare: Latest;
    readonly lateShare: Latest;
  } | null;
  readonly distribution: {
    readonly runs: Page<{
      readonly startedAt: string | null;
      readonly outcome: string;
      readonly durationSeconds: number;
    }>;
    readonly lastRunAge: Latest;
    readonly nextRun: Latest;
    readonly keysWaiting: Latest;
    readonly packageAge: readonly { readonly name: string; readonly level: Latest }[];
  } | null;
  readonly probe: { readonly successAge: Latest } | null;
  /** The prober in the last quarter of an hour. */
  readonly lately: {
    readonly steps: readonly { readonly name: string; readonly byOutcome: readonly Named[] }[];
  } | null;
  readonly verification: {
    readonly registrations: readonly { readonly keyType: string; readonly byOutcome: readonly Named[] }[];
    readonly tans: readonly Named[];
    readonly results: readonly { readonly family: string; readonly result: string; readonly count: Guarded & Trend }[];
  } | null;
  readonly labs: { readonly partners: Page<{ readonly name: string; readonly resultsStored: Guarded }> } | null;
  readonly security: {
    readonly events: Page<{
      readonly process: string;
      readonly kind: string;
      readonly count: { readonly total: number | null };
    }>;
  } | null;
}

interface Page<T> {
  readonly edges: readonly { readonly node: T }[];
}
export interface Latest {
  readonly latest: number | null;
  readonly asOf: string | null;
}
interface Trend {
  readonly total: number | null;
  readonly points: readonly { readonly at: string; readonly value: number | null }[];
}
interface Guarded {
  readonly total: number | null;
  readonly suppressed: boolean;
  readonly atLeast: boolean;
}
interface Named {
  readonly name: string;
  readonly count: { readonly total: number | null };
}

export const nodesOf = <T>(page: Page<T> | null | undefined): readonly T[] => page?.edges.map(({ node }) => node) ?? [];
