/**
 * Levels of a query (those of GraphiQL about the schema are the deepest), how much it may ask for (an object 2, a value
 * 1, times `first`), its aliases, its words (checking them takes the square of their number) and its size; and the points of an answer.
 */
export const limits = { depth: 25, cost: 20_000, aliases: 30, tokens: 1_000, bytes: 16_384, points: 50_000 } as const;
