/** What an expression asks for: enough of PromQL to hold queries to the catalog, not a parser of the whole language. */
export interface AskedFor {
  readonly selectors: readonly Selector[];
  /** Labels that aggregations and matchings name. */
  readonly groupings: readonly string[];
}

export interface Selector {
  readonly name: string;
  readonly matchers: readonly { readonly label: string; readonly operator: string; readonly value: string }[];
}

const tokens = /\s+|"(?:[^"\\]|\\.)*"|=~|!~|!=|==|>=|<=|[a-zA-Z_:][a-zA-Z0-9_:]*|\d[\w.]*|[^\s\w]/gy;
const listWords = new Set(['by', 'without', 'on', 'ignoring', 'group_left', 'group_right']);
const words = new Set([...listWords, 'and', 'or', 'unless', 'bool', 'offset', 'inf', 'nan', 'atan2']);

/** Reads selectors and grouping labels; throws where the expression is not of characters that PromQL has. */
export function readPromQl(expression: string): AskedFor {
  const parts = tokenize(expression);
  const selectors: Selector[] = [];
  const groupings: string[] = [];
  for (let at = 0; at < parts.length; at++) {
    const token = parts[at] ?? '';
    if (token === '[') at = parts.indexOf(']', at);
    else if (listWords.has(token.toLowerCase()) && parts[at + 1] === '(') {
      const end = parts.indexOf(')', at);
      groupings.push(...parts.slice(at + 2, end).filter((part) => part !== ','));
      at = end;
    } else if (/^[a-zA-Z_:]/.test(token) && !words.has(token.toLowerCase()) && parts[at + 1] !== '(') {
      // An aggregation may have its list first: `sum by (job) (…)`.
      if (listWords.has(parts[at + 1] ?? '')) continue;
      const braces = parts[at + 1] === '{' ? parts.slice(at + 2, parts.indexOf('}', at)) : [];
      selectors.push({ name: token, matchers: matchersOf(braces) });
      at += braces.length + (parts[at + 1] === '{' ? 2 : 0);
    }
  }
  return { selectors, groupings };
}

function tokenize(expression: string): string[] {
  const parts: string[] = [];
  tokens.lastIndex = 0;
  while (tokens.lastIndex < expression.length) {
    const at = tokens.lastIndex;
    const match = tokens.exec(expression);
    if (match === null) throw new Error(`no PromQL at ${at}: ${expression}`);
    if (match[0].trim() !== '') parts.push(match[0]);
  }
  return parts;
}

function matchersOf(parts: readonly string[]): Selector['matchers'] {
  const matchers: { label: string; operator: string; value: string }[] = [];
  for (let at = 0; at + 2 < parts.length; at += 4) {
    const [label = '', operator = '', value = ''] = parts.slice(at, at + 3);
    matchers.push({ label, operator, value: value.replace(/^"|"$/g, '') });
  }
  return matchers;
}
