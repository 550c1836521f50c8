import {
  ResponderBuilder,
  type ServerInterceptingCallInterface,
  ServerInterceptingCall,
  type ServerInterceptor,
} from '@grpc/grpc-js';
import type { Log } from '../telemetry/log.ts';
import type { SecurityFeed } from '../telemetry/security.ts';
import { permissionDenied } from './errors.ts';
import { communicationMatrix, type ProcessName } from './communication-matrix.ts';
import { healthServiceName } from './health.ts';
import { callerOf } from './identity.ts';
import { rpcReason, toTrailer } from './status.ts';

/**
 * Refuses every caller that the communication matrix does not name for the service, before its message is read. A
 * service that the matrix does not give to this process has no callers. Any process of the mesh may ask for health.
 */
export function authorization(process: ProcessName, log: Log, security: SecurityFeed): ServerInterceptor {
  return (method, call) => {
    const caller = callerOf(call);
    // grpc-js only uses what every call has; wrapping an allowed call would cost a fifth of it (stack section 3).
    if (isAllowed(process, serviceOf(method.path), caller)) return call as ServerInterceptingCall;
    const event = { type: 'caller-refused', rpc: method.path, caller: caller ?? 'unknown' } as const;
    log.warn('caller-refused', { rpc: event.rpc, caller: event.caller });
    security.report(event);
    return refusing(call);
  };
}

/** Whether the process `own` may be asked for `service` by `caller`. */
function isAllowed(own: ProcessName, service: string, caller: string | undefined): boolean {
  if (caller === undefined) return false;
  if (service === healthServiceName) return true;
  if (!Object.hasOwn(communicationMatrix, service)) return false;
  const rule = communicationMatrix[service];
  return (rule?.process === own || rule?.process === 'every') && (rule.callers as readonly string[]).includes(caller);
}

const serviceOf = (path: string): string => path.slice(1, path.lastIndexOf('/'));

function refusing(call: ServerInterceptingCallInterface): ServerInterceptingCall {
  const status = toTrailer(permissionDenied(rpcReason.callerNotAllowed));
  return new ServerInterceptingCall(call, new ResponderBuilder().withStart(() => call.sendStatus(status)).build());
}
