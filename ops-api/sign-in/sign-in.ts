import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { Log } from '../../lib/telemetry/log.ts';
import type { SecurityFeed } from '../../lib/telemetry/security.ts';
import { systemClock } from '../../lib/time/clock.ts';
import type { Operator } from '../schema/context.ts';
import type { Team } from '../teams.ts';
import type { VerifyToken } from './bearer.ts';
import { shownCertificate } from './certificate.ts';
import type { Shown, SignInFault } from './outcome.ts';

export interface SignInDeps {
  /** undefined: no issuer is set, and tokens are refused. */
  readonly verifyToken?: VerifyToken;
  readonly log: Log;
  readonly security: SecurityFeed;
  /** Whether one more refusal for this reason may be reported now: a flood is told as some, and hides no other reason. */
  readonly mayReport: (reason: string) => boolean;
}

/**
 * Who asks: undefined for anybody who is not let in, which is reported as a security event. Certificate and token may
 * both be shown; their roles count together. An identity that holds the roles of two teams is refused (decision 36).
 */
export async function signIn(deps: SignInDeps, request: IncomingMessage): Promise<Operator | undefined> {
  const shown = [
    shownCertificate(request.socket as TLSSocket, systemClock.nowMs()),
    await shownToken(deps, request),
  ].filter((one) => one !== undefined);
  const fault = shown.length === 0 ? 'nothing-shown' : shown.flatMap((one) => ('fault' in one ? one.fault : []))[0];
  if (fault !== undefined) return refuse(deps, fault);
  const identities = shown.flatMap((one) => ('identity' in one ? one.identity : []));
  const roles = [...new Set(identities.flatMap((identity) => identity.roles))];
  if (roles.length > 1) return violate(deps, roles);
  const [team] = roles;
  if (team === undefined) return refuse(deps, 'no-role');
  return { team, id: identities.map(({ id }) => id).join() };
}

async function shownToken({ verifyToken }: SignInDeps, request: IncomingMessage): Promise<Shown | undefined> {
  const { authorization } = request.headers;
  if (authorization === undefined) return undefined;
  const token = /^Bearer ([A-Za-z0-9._~+/=-]+)$/i.exec(authorization)?.[1];
  if (token === undefined) return { fault: 'token-invalid' };
  return verifyToken === undefined ? { fault: 'no-issuer-configured' } : verifyToken(token);
}

function refuse({ log, security, mayReport }: SignInDeps, reason: SignInFault): undefined {
  if (!mayReport(reason)) return;
  log.warn('sign-in-refused', { reason });
  security.report({ type: 'sign-in-refused', reason });
}

function violate({ log, security, mayReport }: SignInDeps, roles: readonly Team[]): undefined {
  const reason = 'roles-of-two-teams';
  if (!mayReport(reason)) return;
  log.warn('role-violation', { reason, count: roles.length });
  security.report({ type: 'role-violation', reason });
}
