import { createHash } from 'node:crypto';
import { createRemoteJWKSet, customFetch, errors, type JWTPayload, jwtVerify } from 'jose';
import type { Clock } from '../../lib/time/clock.ts';
import { httpsGet } from './https-get.ts';
import { rolesIn, type Shown, type SignInFault } from './outcome.ts';

export interface IssuerSettings {
  readonly issuer: string;
  readonly audience: string;
  /** PEM of the authority of the issuer's own certificate; default: the system's. */
  readonly ca?: string;
  /** Tokens are dated by the issuer's clock, which is the system's. */
  readonly clock: Clock;
}

export type VerifyToken = (token: string) => Promise<Shown>;

/** Signatures only, never a shared secret or none. */
const algorithms = ['ES256', 'ES384', 'RS256', 'PS256', 'EdDSA'];
const secondFactors = ['mfa', 'otp'];
const discoveryMs = 10 * 60_000;
const maxTokenLength = 8_192;

/**
 * Checks access tokens of one OpenID Connect issuer: signature by a key that its discovery leads to, issuer, audience,
 * expiry, algorithm, and a second factor in `amr` (decision 36). Keys are fetched at the first token, not at the start.
 */
export function tokenVerifier(settings: IssuerSettings): VerifyToken {
  let keys: { readonly untilMs: number; readonly set: Promise<ReturnType<typeof createRemoteJWKSet>> } | undefined;
  const currentKeys = () => {
    const nowMs = settings.clock.monotonicMs();
    if (keys === undefined || nowMs > keys.untilMs) {
      const set = discover(settings.issuer, settings.ca);
      keys = { untilMs: nowMs + discoveryMs, set };
      // The next token asks anew.
      set.catch(() => (keys = undefined));
    }
    return keys.set;
  };
  return async (token) => {
    if (token.length > maxTokenLength) return { fault: 'token-invalid' };
    try {
      const { payload } = await jwtVerify(token, await currentKeys(), {
        issuer: settings.issuer,
        audience: settings.audience,
        algorithms,
        requiredClaims: ['exp', 'sub'],
        currentDate: settings.clock.now(),
        clockTolerance: 5,
      });
      return shownBy(payload);
    } catch (error) {
      return { fault: faultOf(error) };
    }
  };
}

async function discover(issuer: string, ca: string | undefined) {
  const response = await httpsGet(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, ca);
  const found = (await response.json()) as { issuer?: unknown; jwks_uri?: unknown };
  if (found.issuer !== issuer || typeof found.jwks_uri !== 'string' || !found.jwks_uri.startsWith('https://')) {
    throw new Error('the discovery document is not that of the issuer');
  }
  return createRemoteJWKSet(new URL(found.jwks_uri), { [customFetch]: (url) => httpsGet(url, ca) });
}

function shownBy({ iss = '', sub = '', amr, roles }: JWTPayload & { amr?: unknown; roles?: unknown }): Shown {
  const factors: unknown[] = Array.isArray(amr) ? amr : [];
  if (!factors.some((factor) => secondFactors.includes(factor as string))) return { fault: 'no-second-factor' };
  const id = createHash('sha256').update(`${iss}\0${sub}`).digest('hex');
  return { identity: { id, roles: rolesIn(Array.isArray(roles) ? roles : [roles]) } };
}

function faultOf(error: unknown): SignInFault {
  if (error instanceof errors.JWTExpired) return 'token-expired';
  if (error instanceof errors.JOSEAlgNotAllowed) return 'token-algorithm';
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === 'iss') return 'token-issuer';
    return error.claim === 'aud' ? 'token-audience' : 'token-invalid';
  }
  // Whatever else jose refuses is the token's fault; the rest is that of the way to the issuer.
  return error instanceof errors.JOSEError && !(error instanceof errors.JWKSTimeout)
    ? 'token-invalid'
    : 'issuer-unreachable';
}
