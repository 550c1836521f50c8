import { createSchema } from 'graphql-yoga';
import type { GraphQLSchema } from 'graphql';
import type { Service } from './context.ts';
import { maySeeSection, type Section, type Team } from '../teams.ts';
import * as base from './base.ts';
import * as capacity from './capacity.ts';
import type { OpsContext, Resolver, Resolvers } from './context.ts';
import { dateTime } from './date-time.ts';
import * as instances from './instances.ts';
import { refusal } from './refusal.ts';
import * as security from './security.ts';

const sections: readonly Section[] = ['services', 'certificates', 'capacity', 'security'];

/**
 * The schema: what is the same of every process, and the part that each service's file adds. Every resolver of a
 * service's file is closed to other teams, whatever the file says itself.
 */
export function buildSchema(services: readonly Service[]): GraphQLSchema {
  const me: Resolvers = {
    Query: {
      me: (_parent, _args, { operator: { team } }) => ({ team, mayAsk: ['me', ...askedBy(team, services)] }),
    },
  };
  const parts: readonly Resolvers[] = [
    base.resolvers,
    me,
    guardedSections(instances.resolvers),
    guardedSections(capacity.resolvers),
    guardedSections(security.resolvers),
    ...services.map(guardedService),
  ];
  const own = [base, instances, capacity, security].map(({ typeDefs }) => typeDefs);
  return createSchema<OpsContext>({
    typeDefs: [...own, ...services.map(({ typeDefs }) => typeDefs)],
    resolvers: [{ DateTime: dateTime }, ...parts] as NonNullable<
      Parameters<typeof createSchema<OpsContext>>[0]['resolvers']
    >,
  });
}

/** Fields of Query that a team may ask for. */
export function askedBy(team: Team, services: readonly Service[]): string[] {
  const own = services.filter((service) => service.team === team);
  const fields = own.flatMap(({ resolvers }) => Object.keys(resolvers['Query'] ?? {}));
  return [...sections.filter((section) => maySeeSection(team, section)), ...fields];
}

function guardedSections({ Query = {}, ...types }: Resolvers): Resolvers {
  const guarded = Object.entries(Query).map(([name, resolve]) => [
    name,
    guard(resolve, (team) => maySeeSection(team, name as Section)),
  ]);
  return { ...types, Query: Object.fromEntries(guarded) };
}

function guardedService({ resolvers, team }: Service): Resolvers {
  const types = Object.entries(resolvers).map(([type, fields]) => {
    const guarded = Object.entries(fields).map(([name, resolve]) => [name, guard(resolve, (own) => own === team)]);
    return [type, Object.fromEntries(guarded)];
  });
  return Object.fromEntries(types) as Resolvers;
}

function guard(resolve: Resolver, isAllowed: (team: Team) => boolean): Resolver {
  return (parent, args, context) => {
    if (!isAllowed(context.operator.team)) {
      context.onRefusal(context.params?.query ?? undefined);
      throw refusal('FORBIDDEN');
    }
    return resolve(parent, args, context);
  };
}
