import type { OpsContext, Resolvers } from './context.ts';
import { connectionSdl } from './connection.ts';
import { refusal } from './refusal.ts';
import { type RangeInput, type Window, windowOf } from './window.ts';

/**
 * What every part of the schema uses. Each description ends with unit and source: a metric of the catalog in backticks,
 * the process info that comes with the metrics, or, where a type serves many, the field that holds it.
 */
export const typeDefs = `
scalar DateTime

"Length of one slot, in UTC. Minutes are kept for 48 hours, hours for 40 days."
enum Resolution {
  "One minute."
  MINUTE
  "Five minutes."
  FIVE_MINUTES
  "One hour."
  HOUR
  "One day."
  DAY
}

"""
What to look at. Widened to whole slots; coarser than asked where it would be more than 1,000 slots or minutes are no
longer kept. Small groups are told by whole hours or days that are over, whatever is asked.
"""
input RangeInput {
  "Begin. Default: 24 hours before the end."
  from: DateTime
  "End. Default, and at most: now."
  to: DateTime
  "Default: HOUR."
  resolution: Resolution
}

"The range that an answer is of."
type Range {
  "Begin of the first slot. Unit: time in UTC. Source: the range that was asked for."
  from: DateTime!
  "End of the last slot. Unit: time in UTC. Source: the range that was asked for."
  to: DateTime!
  "Length of a slot. Unit: as its name says. Source: the range that was asked for."
  resolution: Resolution!
  "Whether it is more, or coarser, than was asked for. Unit: yes or no. Source: the range that was asked for."
  widened: Boolean!
}

"One slot of a range."
type Point {
  "Begin of the slot. Unit: time in UTC. Source: the range that was asked for."
  at: DateTime!
  "null: hidden, or nothing was told in this slot. Unit: that of the field that holds it. Source: the field that holds it."
  value: Float
  "Whether the value is hidden because its group is small. Unit: yes or no. Source: the field that holds it."
  suppressed: Boolean!
}

"""
How much something grew. Counts leave their process in steps, once a minute, rounded down (a step is from 1 to 1,500 as the
catalog says), so a single event is not seen. Of small groups (partner by outcome or reason, kind of result, reason of
refusal) an hour or day below 5 steps is hidden, 0 among it; hidden hours are told with their day where they are 5 steps
together and none of them can be worked out.
"""
type Count {
  "Sum of what is told of the range; null: nothing is. Unit: that of the field that holds it. Source: the field that holds it."
  total: Float
  "Whether all of it is hidden because the group is small. Unit: yes or no. Source: the field that holds it."
  suppressed: Boolean!
  "Whether parts of it are hidden, so that there may be more. Unit: yes or no. Source: the field that holds it."
  atLeast: Boolean!
  "The range of this count: whole hours or days that are over where groups are small. Unit: none. Source: the range that was asked for."
  range: Range!
  "One for each slot, at most 1,000. Unit: that of the field that holds it. Source: the field that holds it."
  points: [Point!]!
}

"Something that goes up and down. A slot has its highest value; of several replicas the highest."
type Level {
  "Last known value in the range, of its minute as long as minutes are kept; null: none. Unit: that of the field that holds it. Source: the field that holds it."
  latest: Float
  "When the latest was told: begin of its minute, or of its slot where minutes are no longer kept; null: none. Unit: time in UTC. Source: the range that was asked for."
  asOf: DateTime
  "The range of this level. Unit: none. Source: the range that was asked for."
  range: Range!
  "One for each slot, at most 1,000. Unit: that of the field that holds it. Source: the field that holds it."
  points: [Point!]!
}

"One count among several that are told apart by a name."
type NamedCount {
  "What it counts: a value of the catalog's attribute. Unit: text. Source: the field that holds it."
  name: String!
  "How many. Unit: that of the field that holds it. Source: the field that holds it."
  count: Count!
}

"One level among several that are told apart by a name."
type NamedLevel {
  "What it measures: a value of the catalog's attribute. Unit: text. Source: the field that holds it."
  name: String!
  "How much. Unit: that of the field that holds it. Source: the field that holds it."
  level: Level!
}

"Where a list goes on."
type PageInfo {
  "Whether there is more after this page. Unit: yes or no. Source: the field that holds it."
  hasNextPage: Boolean!
  "Cursor of the last item; for \`after\`. Unit: text. Source: the field that holds it."
  endCursor: String
}

"""
What operators may ask. Read-only: there is nothing to change here. What another team operates is answered with null and
the error code FORBIDDEN. Figures are of all replicas together and as of the last poll, at most a minute ago.
"""
type Query {
  "Who is asking, and what may be asked. Unit: none. Source: the sign-in."
  me: Operator!
}

"The signed-in operator, as a member of a team. No name: who it is stays with the identity provider."
type Operator {
  "The one team whose role the token or certificate bears. Unit: text. Source: the sign-in."
  team: String!
  "Fields of Query that this team may ask for. Unit: list of texts. Source: the table of teams."
  mayAsk: [String!]!
}
${connectionSdl('NamedCount', 'the field that holds it')}
`;

export const resolvers: Resolvers = {
  Count: { range: rangeOf, points: pointsOf },
  Level: { range: rangeOf, points: pointsOf },
};

/** Lists of points are what makes an answer long and takes time: no limit on the query's text knows how many it asks for. */
function pointsOf({ points }: { readonly points: readonly unknown[] }, _args: unknown, { budget }: OpsContext) {
  budget.points -= points.length;
  if (budget.points < 0) throw refusal('QUERY_TOO_LARGE');
  return points;
}

/** What is told of a range. */
export interface Ranged {
  readonly window: Window;
}

/** Resolves a field of Query that takes a range. */
export function ranged(_parent: unknown, { range }: { range?: RangeInput }, { clock }: OpsContext): Ranged {
  return { window: windowOf(range, clock.nowMs()) };
}

/** What the type `Range` shows. */
export function rangeOf({ window }: Ranged) {
  const { fromMs, toMs, resolution, widened } = window;
  return { from: new Date(fromMs), to: new Date(toMs), resolution, widened };
}
