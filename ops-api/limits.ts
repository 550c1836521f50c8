/** Levels of a query (those of GraphiQL about the schema are the deepest), how much it may ask for (an object 2, a value 1, times `first`), its aliases and its size. */
export const limits = { depth: 25, cost: 20_000, aliases: 30, bytes: 16_384 } as const;
