import { VectorFileError } from './vector-case.ts';

/**
 * Parses JSON; a fault names the byte and line where the text stops being JSON. The engine's own message
 * leaves the place out for short texts and at the end.
 * @throws VectorFileError
 */
export function parseJson(path: string, bytes: Buffer): unknown {
  const text = bytes.toString('utf8');
  try {
    return JSON.parse(text);
  } catch (error) {
    const at = firstFault(text);
    const byte = Buffer.byteLength(text.slice(0, at));
    const line = text.slice(0, at).split('\n').length;
    const what = at >= text.length ? 'ends too early' : 'is no JSON';
    throw new VectorFileError('NOT_JSON', path, `${what} at byte ${byte}, line ${line}`, { cause: error });
  }
}

const SPACE = /[ \t\n\r]*/y;
const SCALAR = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids exactly these
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;

/** Position of the first character that cannot belong to a JSON text. Without recursion: how deep it nests is the file's choice. */
function firstFault(text: string): number {
  let at = 0;
  const take = (pattern: RegExp): boolean => {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found !== null) at += found[0].length;
    return found !== null;
  };
  const space = (): boolean => take(SPACE);
  const takeCharacter = (character: string): boolean => {
    space();
    if (text[at] !== character) return false;
    at++;
    return true;
  };
  const name = (): boolean => space() && take(STRING) && takeCharacter(':');
  /** Brackets that will close what is open. */
  const open: string[] = [];
  const nextAfterValue = (): 'value' | 'end' | 'fault' => {
    for (let close = open.at(-1); close !== undefined; close = open.at(-1)) {
      if (takeCharacter(',')) return close === ']' || name() ? 'value' : 'fault';
      if (!takeCharacter(close)) return 'fault';
      open.pop();
    }
    space();
    return 'end';
  };
  for (;;) {
    space();
    const close = { '{': '}', '[': ']' }[text[at] ?? ''];
    if (close === undefined && !take(STRING) && !take(SCALAR)) return at;
    if (close !== undefined) at++;
    if (close !== undefined && !takeCharacter(close)) {
      open.push(close);
      if (close === '}' && !name()) return at;
    } else if (nextAfterValue() !== 'value') return at;
  }
}
