import type {
  ServerUnaryCall,
  ServerWritableStream,
  ServiceDefinition as GrpcDefinition,
  UntypedServiceImplementation,
  sendUnaryData,
} from '@grpc/grpc-js';
import { errorFields, type Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { unmeasuredWork } from '../telemetry/unmeasured-work.ts';
import { continueTrace, inSpan } from '../telemetry/tracing.ts';
import { type Clock, systemClock } from '../time/clock.ts';
import type { Call, Handlers, ServiceDefinition } from './api.ts';
import { RpcError } from './errors.ts';
import { callerOf } from './identity.ts';
import { leastUsefulMs } from './limits.ts';
import { syntheticKey, traceKey } from './metadata.ts';
import { cancelled, codeOf, deadlineExceeded, toTrailer } from './status.ts';

/** A service with its handlers, ready for `startRpcServer`. */
export interface BoundService {
  readonly name: string;
  readonly definition: ServiceDefinition;
  readonly handlers: Readonly<Record<string, unknown>>;
}

type UnaryHandler = (request: unknown, call: Call) => Promise<unknown>;
type StreamHandler = (request: unknown, call: Call) => AsyncIterable<unknown>;

/** What both kinds of grpc-js calls offer. */
interface Incoming {
  readonly cancelled: boolean;
  readonly metadata: ServerUnaryCall<unknown, unknown>['metadata'];
  getDeadline(): Date | number;
  getAuthContext(): ReturnType<ServerUnaryCall<unknown, unknown>['getAuthContext']>;
  once(event: 'cancelled', listener: () => void): unknown;
}

/** Ties handlers to the generated definition of the service `name`, for example `cwa.verification.v1.TanService`. */
export function bind<S>(name: string, definition: S, handlers: Handlers<S>): BoundService {
  const methods = definition as ServiceDefinition;
  for (const [method, { path, requestStream }] of Object.entries(methods)) {
    if (!path.startsWith(`/${name}/`)) throw new Error(`${name} does not define ${path}`);
    if (requestStream) throw new Error(`${name}.${method}: streams towards the server are not supported`);
  }
  return { name, definition: methods, handlers };
}

/** What grpc-js takes for a bound service. */
export function implementationOf(
  { definition, handlers }: BoundService,
  clock: Clock,
  log: Log,
  metrics: Metrics,
): [GrpcDefinition, UntypedServiceImplementation] {
  const methods: Record<string, unknown> = {};
  const implementation: UntypedServiceImplementation = {};
  for (const [name, method] of Object.entries(definition)) {
    const handler = handlers[name];
    methods[name] = { ...method, ...loggedCodec(method, log) };
    implementation[name] = method.responseStream
      ? streaming(method.path, handler as StreamHandler, clock, log, timer(method.path, clock, metrics))
      : unary(method.path, handler as UnaryHandler, clock, log, timer(method.path, clock, metrics));
  }
  return [methods as unknown as GrpcDefinition, implementation];
}

function unary(rpc: string, handler: UnaryHandler, clock: Clock, log: Log, begin: Timer) {
  return (incoming: ServerUnaryCall<unknown, unknown>, answer: sendUnaryData<unknown>): void => {
    const served = serve(incoming, clock);
    const ended = begin(served.call);
    const fail = (error: unknown): void => {
      served.end();
      const told = reported(error, incoming, rpc, log);
      ended(codeOf(told));
      answer(toTrailer(told), null);
    };
    if (served.isTooLate()) return fail(deadlineExceeded());
    try {
      const work = () => inCallersTrace(incoming, rpc, () => handler(incoming.request, served.call));
      (served.call.synthetic ? unmeasuredWork(work) : work()).then((response) => {
        served.end();
        ended('OK');
        answer(null, response);
      }, fail);
    } catch (error) {
      fail(error);
    }
  };
}

/** Only calls that nobody's phone caused come with a trace (decision 34). */
function inCallersTrace<T>(incoming: Incoming, rpc: string, work: () => Promise<T>): Promise<T> {
  const [header] = incoming.metadata.get(traceKey);
  if (header === undefined) return work();
  const method = rpc.slice(1);
  const attributes = { 'rpc.system.name': 'grpc', 'rpc.method': method } as const;
  return continueTrace(String(header), () => inSpan(method, { kind: 'server', attributes }, work));
}

/** Starts to measure a call, unless the prober is behind it; what it returns is told how the call ended. */
type Timer = (call: Pick<Call, 'synthetic'>) => (code: string) => void;

function timer(path: string, clock: Clock, metrics: Metrics): Timer {
  const [service = '', method = ''] = path.slice(1).split('/');
  return ({ synthetic }) => {
    if (synthetic) return () => {};
    const begunMs = clock.monotonicMs();
    return (code) =>
      metrics.record(
        'rpc.server.call.duration',
        { 'rpc.service': service, 'rpc.method': method, 'rpc.response.status_code': code },
        (clock.monotonicMs() - begunMs) / 1_000,
      );
  };
}

function streaming(rpc: string, handler: StreamHandler, clock: Clock, log: Log, begin: Timer) {
  return async (outgoing: ServerWritableStream<unknown, unknown>): Promise<void> => {
    const served = serve(outgoing, clock);
    const ended = begin(served.call);
    try {
      if (served.isTooLate()) throw deadlineExceeded();
      await inCallersTrace(outgoing, rpc, () => writeAll(handler(outgoing.request, served.call), outgoing));
      served.end();
      ended('OK');
      outgoing.end();
    } catch (error) {
      served.end();
      const told = reported(error, outgoing, rpc, log);
      ended(codeOf(told));
      outgoing.emit('error', toTrailer(told));
    }
  };
}

/** Asks for the next message while one is on its way, never further ahead than that. */
async function writeAll(messages: AsyncIterable<unknown>, outgoing: ServerWritableStream<unknown, unknown>) {
  let written = Promise.withResolvers<void>();
  written.resolve();
  // grpc-js does not call back for a write once the call is cancelled.
  outgoing.once('cancelled', () => written.resolve());
  for await (const message of messages) {
    await written.promise;
    if (outgoing.cancelled) return;
    written = Promise.withResolvers<void>();
    outgoing.write(message, () => written.resolve());
  }
  await written.promise;
}

interface Served {
  readonly call: Call;
  isTooLate(): boolean;
  /** From now on nothing aborts the signal. */
  end(): void;
}

function serve(incoming: Incoming, clock: Clock): Served {
  // grpc-js counts on the system's clock, whatever the mesh's clock says.
  const remainingMs = Number(incoming.getDeadline()) - systemClock.nowMs();
  const deadline = clock.monotonicMs() + remainingMs;
  let controller: AbortController | undefined;
  let ended = false;

  const abort = (): void => {
    if (!ended) controller?.abort(clock.monotonicMs() >= deadline - 1 ? deadlineExceeded() : cancelled());
  };
  // Most handlers never look at the signal, so it is made when one does. An own property: it survives `{ ...call }`.
  const call: Call = {
    get signal() {
      if (controller === undefined) {
        controller = new AbortController();
        if (incoming.cancelled) abort();
        else incoming.once('cancelled', abort);
      }
      return controller.signal;
    },
    deadline,
    peer: callerOf(incoming) ?? 'unknown',
    ...(incoming.metadata.get(syntheticKey).length > 0 ? { synthetic: true } : {}),
  };
  return {
    call,
    isTooLate: () => remainingMs < leastUsefulMs,
    end: () => {
      ended = true;
    },
  };
}

/** Logs what is not meant for the caller. A handler that stopped because its call was over has not failed. */
function reported(error: unknown, incoming: Incoming, rpc: string, log: Log): unknown {
  if (error instanceof RpcError) return error;
  if (incoming.cancelled && error instanceof Error && error.name === 'AbortError') return cancelled();
  log.error('rpc-failed', { rpc, ...errorFields(error) });
  return error;
}

/** A message that cannot be read or written is a fault of our own code; grpc-js would only tell the caller. */
function loggedCodec(method: ServiceDefinition[string], log: Log) {
  const { path, requestDeserialize, responseSerialize } = method as typeof method & {
    responseSerialize(value: unknown): Buffer;
  };
  const logged =
    <I, O>(step: (input: I) => O) =>
    (input: I): O => {
      try {
        return step(input);
      } catch (error) {
        log.error('rpc-failed', { rpc: path, ...errorFields(error) });
        throw error;
      }
    };
  return { requestDeserialize: logged(requestDeserialize), responseSerialize: logged(responseSerialize) };
}
