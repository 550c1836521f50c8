import { isTeam, type Team } from '../teams.ts';

/** Why somebody was not let in: constants, for the security feed. */
export type SignInFault =
  | 'nothing-shown'
  | 'certificate-untrusted'
  | 'certificate-of-a-process'
  | 'token-invalid'
  | 'token-expired'
  | 'token-issuer'
  | 'token-audience'
  | 'token-algorithm'
  | 'no-second-factor'
  | 'no-role'
  | 'no-issuer-configured'
  | 'issuer-unreachable';

/** Somebody whom a token or certificate names, with all team roles it bears. */
export interface Identity {
  /** Hash of who it is. */
  readonly id: string;
  readonly roles: readonly Team[];
}

export type Shown = { readonly identity: Identity } | { readonly fault: SignInFault };

/** Team roles among what a token or certificate says; other words are not ours. */
export const rolesIn = (words: readonly unknown[]): Team[] => [
  ...new Set(words.filter((word): word is Team => typeof word === 'string' && isTeam(word))),
];
