import type { Clock } from '../../lib/time/clock.ts';
import type { Fleet } from '../feed/fleet.ts';
import type { History } from '../history/history.ts';
import type { Service } from '../service.ts';
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
  /** Between two polls of a process. */
  readonly pollSeconds: number;
}

/** `parent` and `args` are what the schema says they are. */
// oxlint-disable-next-line no-explicit-any
export type Resolver = (parent: any, args: any, context: OpsContext) => unknown;
export type Resolvers = Readonly<Record<string, Readonly<Record<string, Resolver>>>>;
