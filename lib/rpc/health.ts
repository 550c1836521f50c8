import {
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  type UntypedServiceImplementation,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import { service } from 'grpc-health-check';

export const healthServiceName = 'grpc.health.v1.Health';

interface HealthRequest {
  service: string;
}
interface HealthResponse {
  status: 'SERVING' | 'NOT_SERVING';
}

/**
 * The standard health service for the named services and the process as a whole (`''`). Its own implementation of the
 * two methods, because the one in the package keeps watchers open and a graceful stop would wait for them.
 */
export function healthService(services: readonly string[]): {
  definition: ServiceDefinition;
  implementation: UntypedServiceImplementation;
  stop(): void;
} {
  const known = new Set(['', ...services]);
  const watchers = new Set<ServerWritableStream<HealthRequest, HealthResponse>>();
  let current: HealthResponse['status'] = 'SERVING';

  const check = (call: ServerUnaryCall<HealthRequest, HealthResponse>, answer: sendUnaryData<HealthResponse>): void =>
    known.has(call.request.service)
      ? answer(null, { status: current })
      : answer({ code: status.NOT_FOUND, details: '' }, null);

  const watch = (call: ServerWritableStream<HealthRequest, HealthResponse | { status: 'SERVICE_UNKNOWN' }>): void => {
    call.write({ status: known.has(call.request.service) ? current : 'SERVICE_UNKNOWN' });
    watchers.add(call);
    call.on('cancelled', () => watchers.delete(call));
  };

  return {
    definition: service as unknown as ServiceDefinition,
    implementation: { check, watch },
    stop: () => {
      current = 'NOT_SERVING';
      for (const watcher of watchers) {
        watcher.write({ status: current });
        watcher.end();
      }
      watchers.clear();
    },
  };
}
