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

/** A text: as it is, in other letter case, encoded, without its dashes, and hashed. */
export function textSecret(kind: string, text: string, more: readonly Form[] = []): Secret {
  const bytes = Buffer.from(text);
  const spellings = [text, text.toLowerCase(), text.toUpperCase()];
  const compact = text.includes('-') ? [text.replaceAll('-', ''), text.replaceAll('-', '').toUpperCase()] : [];
  return {
    kind,
    forms: distinct([
      ...[...spellings, ...compact].map((spelling) => form('plain', spelling)),
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

/** How octets are written in texts; with a `name` these are the forms of that derived value. */
export function encoded(name: string, octets: Uint8Array): Form[] {
  const bytes = Buffer.from(octets);
  const hex = bytes.toString('hex');
  return [
    form(name || 'hex', hex),
    form(name || 'hex', hex.toUpperCase()),
    form(name || 'base64', bytes.toString('base64').replace(/=+$/, '')),
    form(name || 'base64', bytes.toString('base64url')),
    ...(name === '' ? [] : [{ name, octets: bytes }]),
  ];
}

const form = (name: string, text: string): Form => ({ name, octets: Buffer.from(text) });

function distinct(forms: readonly Form[]): Form[] {
  const known = new Map(forms.map((entry) => [entry.octets.toString('latin1'), entry] as const).reverse());
  return [...known.values()];
}
