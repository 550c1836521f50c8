import { InvalidArgumentError } from 'commander';

/** Mesh time never runs back, so a slip of the finger must not spoil a home. */
const longestMs = 60 * 86_400_000;
const unitMs: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `90s`, `15m`, `3h`, `1d12h` in milliseconds. */
export function parseDuration(text: string): number {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)([smhd])/g)];
  const whole = parts.map(([part]) => part).join('');
  const ms = parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (unitMs[unit ?? ''] ?? 0), 0);
  if (whole !== text || ms <= 0) throw new InvalidArgumentError('give a duration such as 90s, 15m, 3h or 1d12h.');
  if (ms > longestMs) throw new InvalidArgumentError('give at most 60d at a time: the clock can never be set back.');
  return Math.round(ms);
}

/** A whole number above 0. */
export function parseCount(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('give a whole number above 0.');
  return Number(text);
}
