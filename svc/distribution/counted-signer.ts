import type { Metrics } from '../../lib/telemetry/metrics.ts';
import { inSpan } from '../../lib/telemetry/tracing.ts';
import type { Signer } from './signer.ts';

/** Counts signatures by outcome; each has a span, because a transit key is a call across the network. */
export function countedSigner(signer: Signer, metrics: Metrics): Signer {
  const { verificationKeyVersion: version = '' } = signer.info;
  return {
    ...signer,
    sign: (bin) =>
      inSpan('sign', { attributes: { 'cwa.key.version': version, 'cwa.bytes': bin.length } }, async () => {
        let outcome: 'done' | 'failed' = 'failed';
        try {
          const signature = await signer.sign(bin);
          outcome = 'done';
          return signature;
        } finally {
          metrics.count('cwa.distribution.signatures', { 'cwa.outcome': outcome });
        }
      }),
  };
}
