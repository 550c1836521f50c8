import type { Metrics } from '../telemetry/metrics.ts';
import type { SecurityFeed } from '../telemetry/security.ts';
import { atMostEvery } from '../time/at-most-every.ts';
import type { Clock } from '../time/clock.ts';
import type { CertificateSource } from './certificates.ts';

const dayMs = 86_400_000;
const warnDays = 14;

export interface TermOptions {
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly security: SecurityFeed;
}

/**
 * Tells how long the certificate is still good: as `cwa.certificate.remaining`, and as a security event once a day when
 * it is less than 14 days. Returns the way to stop.
 */
export function watchTerm(
  source: Pick<CertificateSource, 'notAfter'>,
  certificate: string,
  { clock, metrics, security }: TermOptions,
  everyMs = 60_000,
): () => void {
  const remainingMs = (): number => source.notAfter().getTime() - clock.nowMs();
  const due = atMostEvery(clock, dayMs);
  metrics.observe('cwa.certificate.remaining', () => [
    { attributes: { 'cwa.certificate': certificate }, value: remainingMs() / 1_000 },
  ]);
  const look = (): void => {
    const days = Math.floor(remainingMs() / dayMs);
    if (days < warnDays && due(certificate)) security.report({ type: 'certificate-expiring', certificate, days });
  };
  look();
  const timer = setInterval(look, everyMs).unref();
  return () => clearInterval(timer);
}
