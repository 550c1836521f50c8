/**
 * What the security operations centre is told (requirement text 000 section 4.6): constants of the code and names of
 * the configuration, never an address, a token or anything a request brought.
 */
export type SecurityEvent =
  /** A process called what the communication matrix does not allow it; `unknown` for a certificate without a name. */
  | { readonly type: 'caller-refused'; readonly rpc: string; readonly caller: string }
  /** A client certificate that is not listed, or not for this route, at the partners' port. */
  | { readonly type: 'partner-refused'; readonly reason: 'unlisted' | 'route' | 'lab-id'; readonly partner?: string }
  /** More failed teleTANs or registrations than people mistype. */
  | { readonly type: 'guessing-alarm'; readonly target: 'tele-tan' | 'registration' }
  | { readonly type: 'certificate-refused' | 'certificate-reloaded'; readonly certificate: string }
  | { readonly type: 'certificate-expiring'; readonly certificate: string; readonly days: number }
  /** An operator's certificate or token that was not accepted, or holds the roles of two teams (decision 36). */
  | { readonly type: 'sign-in-refused'; readonly reason: string }
  | { readonly type: 'role-violation'; readonly reason: string; readonly team?: string }
  /** An operator asked for what belongs to another team; named queries, which ask for everybody's, do not count. */
  | { readonly type: 'field-refused'; readonly team: string }
  /** Settings, partners, signing keys or the app configuration changed. */
  | { readonly type: 'configuration-changed'; readonly what: string; readonly version?: string }
  /** More requests than a process admits. */
  | { readonly type: 'overload'; readonly route: string }
  | { readonly type: 'process-started' | 'process-stopped'; readonly version?: string }
  /** Of the feed itself: so many events will not arrive. */
  | { readonly type: 'events-lost'; readonly reason: 'buffer-full' | 'disk' | 'refused'; readonly lost: number };

export type SecurityEventType = SecurityEvent['type'];

/** Takes events; delivery goes on in the background, at least once. */
export interface SecurityFeed {
  report(event: SecurityEvent): void;
}

export const silentSecurityFeed: SecurityFeed = { report() {} };
