import { refusal } from './refusal.ts';

export interface PageArguments {
  readonly first?: number | null;
  readonly after?: string | null;
}

export interface Connection<T> {
  readonly edges: readonly { readonly cursor: string; readonly node: T }[];
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
  readonly totalCount: number;
}

const defaultPage = 20;
const maxPage = 100;

/**
 * A page of a list. The cursor is the item's own name, so that a page goes on where it ended though the list has changed.
 * `nameOf` gives each item a name that orders the list. Throws BAD_PAGE.
 */
export function connectionOf<T>(
  items: readonly T[],
  { first, after }: PageArguments,
  nameOf: (item: T) => string,
): Connection<T> {
  const size = first ?? defaultPage;
  if (size < 1 || size > maxPage) throw refusal('BAD_PAGE');
  const begin = after ? items.findIndex((item) => cursorOf(nameOf(item)) === after) + 1 : 0;
  if (after && begin === 0) throw refusal('BAD_PAGE');
  const page = items.slice(begin, begin + size);
  const edges = page.map((node) => ({ cursor: cursorOf(nameOf(node)), node }));
  const hasNextPage = begin + size < items.length;
  return { edges, pageInfo: { hasNextPage, endCursor: edges.at(-1)?.cursor ?? null }, totalCount: items.length };
}

const cursorOf = (name: string): string => Buffer.from(name).toString('base64url');

/** SDL of a connection over a type. `source`: as in every description, what the items come from. */
export const connectionSdl = (type: string, source: string): string => `
"""One page of a list of ${type}."""
type ${type}Connection {
  "The items of this page. Unit: list. Source: ${source}."
  edges: [${type}Edge!]!
  "Where to go on. Unit: none. Source: ${source}."
  pageInfo: PageInfo!
  "How many items there are on all pages. Unit: items. Source: ${source}."
  totalCount: Int!
}
"""One item of a page."""
type ${type}Edge {
  "Names the item, for \`after\`. Unit: text. Source: ${source}."
  cursor: String!
  "The item. Unit: none. Source: ${source}."
  node: ${type}!
}
`;
