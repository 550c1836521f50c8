import { GraphQLScalarType, Kind } from 'graphql';
import { refusal } from './refusal.ts';

const pattern = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?Z$/;

/** Moments in UTC; what is no such moment is refused without being repeated. */
export const dateTime = new GraphQLScalarType<Date, string>({
  name: 'DateTime',
  description: 'A moment in UTC, ISO 8601: 2026-02-01T12:00:00Z.',
  serialize: (value) => (value as Date).toISOString(),
  parseValue: parse,
  parseLiteral: (node) => parse(node.kind === Kind.STRING ? node.value : undefined),
});

function parse(value: unknown): Date {
  const date = typeof value === 'string' && pattern.test(value) ? new Date(value) : undefined;
  if (date === undefined || Number.isNaN(date.getTime())) {
    throw refusal('BAD_RANGE');
  }
  return date;
}
