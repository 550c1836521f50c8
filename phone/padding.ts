import type { Random } from '../lib/random/random.ts';

const CHARACTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
/** Every verification body of the shipped apps has this size (S 5.2). */
const JSON_OCTETS = 250;

/** Random letters and digits. */
export function randomText(length: number, random: Pick<Random, 'int'>): string {
  let text = '';
  for (let i = 0; i < length; i++) text += CHARACTERS[random.int(CHARACTERS.length)] as string;
  return text;
}

/** A JSON body filled up to 250 octets by `requestPadding` (S 5.2). */
export function paddedJson(values: Readonly<Record<string, string>>, random: Pick<Random, 'int'>): Buffer {
  const bare = Buffer.byteLength(JSON.stringify({ ...values, requestPadding: '' }));
  return Buffer.from(
    JSON.stringify({ ...values, requestPadding: randomText(Math.max(0, JSON_OCTETS - bare), random) }),
  );
}
