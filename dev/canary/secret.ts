import { createHash } from 'node:crypto';

/** A value that must be found nowhere but where it belongs, in every form in which it could turn up. */
export interface Secret {
  /** What it is, for rules and messages: `tan`, `key data`. */
  readonly kind: string;
  readonly forms: readonly Form[];
}

export interface Form {
  /** `plain`, `hex`, `base64`, `sha256` … */
  readonly name: string;
  readonly octets: Buffer;
}

const sha256 = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest();

/** A text: as it is, in other letter case, encoded, without its dashes, hashed, and cut off if the rest is telling. */
export function textSecret(kind: string, text: string, more: readonly Form[] = []): Secret {
  const bytes = Buffer.from(text);
  const compact = text.replaceAll('-', '');
  const spellings = [text, compact].flatMap((one) => [one, one.toLowerCase(), one.toUpperCase()]);
  return {
    kind,
    forms: distinct([
      ...spellings.map((spelling) => form('plain', spelling)),
      ...(isRandom.test(text) ? spellings.map((spelling) => form('plain', spelling.slice(0, beginning))) : []),
      ...(isUuid.test(text) ? [{ name: 'plain', octets: Buffer.from(compact, 'hex') }] : []),
      ...encoded('', bytes),
      ...encoded('sha256', sha256(bytes)),
      ...more,
    ]),
  };
}

/** Octets: as they are, encoded, and hashed. */
export function octetSecret(kind: string, octets: Uint8Array, more: readonly Form[] = []): Secret {
  return {
    kind,
    forms: distinct([
      { name: 'plain', octets: Buffer.from(octets) },
      ...encoded('', octets),
      ...encoded('sha256', sha256(octets)),
      ...more,
    ]),
  };
}

/** Hexadecimal digits enough that nothing else begins like it. */
const isRandom = /^[0-9a-f]{6}[0-9a-f-]{26,}$/i;
const isUuid = /^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$/i;
/** As much of a value as somebody might think harmless in a log; 13 of a UUID are 48 bits. */
const beginning = 13;

/** How octets are written in texts; with a `name` these are the forms of that derived value. */
export function encoded(name: string, octets: Uint8Array): Form[] {
  const bytes = Buffer.from(octets);
  const hex = bytes.toString('hex');
  return [
    form(name || 'hex', hex),
    form(name || 'hex', hex.toUpperCase()),
    ...(bytes.length >= 16 ? [form(name || 'hex', hex.slice(0, 16)), ...printed(name, bytes)] : []),
    ...[0, 1, 2].flatMap((offset) => inBase64(bytes, offset)).map((text) => form(name || 'base64', text)),
    ...(name === '' ? [] : [{ name, octets: bytes }]),
  ];
}

/** As JavaScript prints a Buffer, in JSON and otherwise, and a Uint8Array in JSON. */
function printed(name: string, bytes: Buffer): Form[] {
  const spaced = [...bytes].map((octet) => octet.toString(16).padStart(2, '0')).join(' ');
  const members = [...bytes].map((octet, at) => `"${at}":${octet}`).join(',');
  return [spaced, bytes.join(','), members].map((text) => form(name || 'hex', text));
}

/** What the octets are in the base64 of something longer, in which so many come before them. */
function inBase64(bytes: Buffer, offset: number): string[] {
  const first = Math.ceil((offset * 4) / 3);
  const whole = Math.floor(((offset + bytes.length) * 4) / 3);
  const before = Buffer.concat([Buffer.alloc(offset), bytes]);
  return [before.toString('base64').slice(first, whole), before.toString('base64url').slice(first, whole)];
}

const form = (name: string, text: string): Form => ({ name, octets: Buffer.from(text) });

function distinct(forms: readonly Form[]): Form[] {
  const known = new Set<string>();
  return forms.filter(({ octets }) => {
    const text = octets.toString('latin1');
    return !known.has(text) && known.add(text);
  });
}
