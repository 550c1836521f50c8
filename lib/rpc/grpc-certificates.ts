import { type experimental, logVerbosity, setLogVerbosity } from '@grpc/grpc-js';
import type { CertificateSource } from './certificates.ts';

// What grpc-js prints is free text with addresses in it; the failures it tells of reach us as errors.
setLogVerbosity(logVerbosity.NONE);

/**
 * The source as grpc-js wants it. A new listener is called in the next tick: grpc-js loses a call made while it adds
 * the listener (stack section 3).
 */
export function providerOf(source: CertificateSource): experimental.CertificateProvider {
  const onCa = new Map<experimental.CaCertificateUpdateListener, () => void>();
  const onIdentity = new Map<experimental.IdentityCertificateUpdateListener, () => void>();

  function add<L>(stops: Map<L, () => void>, listener: L, call: () => void): void {
    stops.get(listener)?.();
    stops.set(listener, source.onChange(call));
    process.nextTick(() => {
      if (stops.has(listener)) call();
    });
  }
  function remove<L>(stops: Map<L, () => void>, listener: L): void {
    stops.get(listener)?.();
    stops.delete(listener);
  }

  return {
    addCaCertificateListener: (listener) => add(onCa, listener, () => listener({ caCertificate: source.current().ca })),
    removeCaCertificateListener: (listener) => remove(onCa, listener),
    addIdentityCertificateListener: (listener) =>
      add(onIdentity, listener, () => {
        const { cert, key } = source.current();
        listener({ certificate: cert, privateKey: key });
      }),
    removeIdentityCertificateListener: (listener) => remove(onIdentity, listener),
  };
}
