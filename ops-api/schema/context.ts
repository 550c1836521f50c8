import type { ProcessName } from '../../lib/rpc/communication-matrix.ts';
import type { Clock } from '../../lib/time/clock.ts';
import type { Fleet } from '../feed/fleet.ts';
import type { History } from '../history/history.ts';
import type { Kept, Load } from '../history/kept.ts';
import type { Team } from '../teams.ts';

/** Who asks. */
export interface Operator {
  readonly team: Team;
  /** Tells one identity from another for the rate limit; a hash, kept in memory only. */
  readonly id: string;
}

/** What resolvers are given: figures in memory, and who asks. */
export interface OpsContext {
  readonly operator: Operator;
  readonly clock: Clock;
  readonly fleet: Fleet;
  readonly history: History;
  readonly services: readonly Service[];
  /** How many points the answer may still hold; of the request alone. */
  readonly budget: { points: number };
  /** Between two polls of a process. */
  readonly pollSeconds: number;
  /** Is told that the operator asked for what belongs to another team, and in which query; none: on the status page. */
  readonly onRefusal: (query: string | undefined) => void;
  /** Of the request, by yoga: the text that is answered, whatever else came with it. */
  readonly params?: { readonly query?: string | null };
  /** Is told what nobody expected: it is logged, and the request counts as failed. */
  readonly onFailure: (error: unknown) => void;
}

/** `parent` and `args` are what the schema says they are. */
// oxlint-disable-next-line no-explicit-any
export type Resolver = (parent: any, args: any, context: OpsContext) => unknown;
export type Resolvers = Readonly<Record<string, Readonly<Record<string, Resolver>>>>;

/**
 * One service as operators see it: everything about it is in one file of `services/`, which exports it as `service`.
 * The file that bears the name of its process also says whose process that is.
 */
export interface ServiceDescription {
  /** The process whose figures these are; `OPS_API_<PROCESS>_ADDRESS` says where it answers. */
  readonly process: ProcessName;
  /** The only team that sees them. */
  readonly team: Team;
  /** What is kept over time; the rest of what the process tells is forgotten at the next poll. */
  readonly keeps: readonly Kept[];
  /** What counts as one request when its cost is measured. Default: calls of the mesh that it answered. */
  readonly load?: Load;
  readonly typeDefs: string;
  readonly resolvers: Resolvers;
}

export interface Service extends ServiceDescription {
  /** Name of the file. */
  readonly name: string;
}
