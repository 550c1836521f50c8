import { type CallOptions, type ChannelOptions, Client as GrpcClient, experimental, Metadata } from '@grpc/grpc-js';
import { type Metrics, silentMetrics } from '../telemetry/metrics.ts';
import { inSpan, traceParent } from '../telemetry/tracing.ts';
import { type Clock, systemClock } from '../time/clock.ts';
import type { CallContext, Client, ServiceDefinition } from './api.ts';
import type { CertificateSource } from './certificates.ts';
import { communicationMatrix, type ProcessName } from './communication-matrix.ts';
import type { RpcError } from './errors.ts';
import { providerOf } from './grpc-certificates.ts';
import { checkServerProcess } from './identity.ts';
import { deadlineMarginMs, defaultMaxMessageBytes, flowControlWindow, leastUsefulMs } from './limits.ts';
import { syntheticKey, traceKey } from './metadata.ts';
import { cancelled, codeOf, deadlineExceeded, fromServiceError } from './status.ts';

export interface ChannelSettings {
  /** `host:port`. */
  readonly address: string;
  /** The process that must answer there: its certificate has to name it. */
  readonly serverName: ProcessName;
  readonly certificates: CertificateSource;
  readonly clock: Clock;
  readonly metrics?: Metrics;
  /** Default 16 MiB. */
  readonly maxReceiveBytes?: number;
}

/** A connection to one process, opened at the first call and reopened when it breaks. */
export interface Channel {
  readonly connection: GrpcClient;
  readonly clock: Clock;
  readonly metrics: Metrics;
  close(): void;
}

export function openChannel(settings: ChannelSettings): Channel {
  const provider = providerOf(settings.certificates);
  const credentials = experimental.createCertificateProviderChannelCredentials(provider, provider, {
    checkServerIdentity: checkServerProcess(settings.serverName),
  });
  const options: ChannelOptions = {
    // Also keeps an IP address out of the TLS server name, where none may stand.
    'grpc.ssl_target_name_override': settings.serverName,
    'grpc.service_config': JSON.stringify(retriesOf(settings.serverName)),
    'grpc.service_config_disable_resolution': 1,
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 2_000,
    // A connection that died in silence fails every call until this finds it: sooner than a phone gives up.
    'grpc.keepalive_time_ms': 5_000,
    'grpc.keepalive_timeout_ms': 3_000,
    'grpc.max_receive_message_length': settings.maxReceiveBytes ?? defaultMaxMessageBytes,
    'grpc.max_send_message_length': -1,
    'grpc-node.flow_control_window': flowControlWindow,
    'grpc.use_local_subchannel_pool': 1,
    'grpc.enable_http_proxy': 0,
    'grpc.enable_channelz': 0,
  };
  const connection = new GrpcClient(settings.address, credentials, options);
  const { clock, metrics = silentMetrics } = settings;
  return { connection, clock, metrics, close: () => connection.close() };
}

/** Idempotent methods of the server, by name: three attempts, 100 then 300 ms apart (±20 %), inside the deadline. */
function retriesOf(serverName: ProcessName) {
  const name = Object.entries(communicationMatrix)
    .filter(([, rule]) => rule.process === serverName || rule.process === 'every')
    .flatMap(([service, rule]) => rule.idempotent.map((method) => ({ service, method })));
  const retryPolicy = {
    maxAttempts: 3,
    initialBackoff: '0.1s',
    maxBackoff: '0.3s',
    backoffMultiplier: 3,
    retryableStatusCodes: ['UNAVAILABLE'],
  };
  return { loadBalancingConfig: [], methodConfig: name.length === 0 ? [] : [{ name, retryPolicy }] };
}

interface Method {
  path: string;
  responseStream: boolean;
  requestSerialize(value: unknown): Buffer;
  responseDeserialize(bytes: Buffer): unknown;
}

/**
 * The client of a service. Unary calls have `deadlineMs` (default 5 s) or what is left of the caller's time, if that is
 * less; streams have the caller's deadline only. Failures are RpcErrors.
 */
export function clientOf<S>(
  channel: Channel,
  name: string,
  definition: S,
  options: { readonly deadlineMs?: number } = {},
): Client<S> {
  const client: Record<string, unknown> = {};
  for (const [key, described] of Object.entries(definition as ServiceDefinition)) {
    if (!described.path.startsWith(`/${name}/`)) throw new Error(`${name} does not define ${described.path}`);
    const method = described as unknown as Method;
    client[key] = method.responseStream
      ? (request: unknown, context?: CallContext) => stream(channel, method, request, context)
      : unary(channel, method, options.deadlineMs ?? 5_000);
  }
  return client as Client<S>;
}

function unary(channel: Channel, method: Method, ownMs: number) {
  const call = untracedUnary(channel, method, ownMs);
  const record = recorder(channel, method);
  const name = method.path.slice(1);
  const options = { kind: 'client', attributes: { 'rpc.system.name': 'grpc', 'rpc.method': name } } as const;
  return (request: unknown, context?: CallContext): Promise<unknown> => {
    const ended = record(context);
    const made = inSpan(name, options, () => call(request, context));
    made.then(
      () => ended('OK'),
      (error: unknown) => ended(codeOf(error)),
    );
    return made;
  };
}

/** Starts to measure a call, unless the prober is behind it; what it returns is told how the call ended. */
function recorder({ clock, metrics }: Channel, { path }: Method) {
  const [service = '', method = ''] = path.slice(1).split('/');
  return (context?: CallContext): ((code: string) => void) => {
    if (context?.synthetic) return () => {};
    const begunMs = clock.monotonicMs();
    return (code) =>
      metrics.record(
        'rpc.client.call.duration',
        { 'rpc.service': service, 'rpc.method': method, 'rpc.response.status_code': code },
        (clock.monotonicMs() - begunMs) / 1_000,
      );
  };
}

/** The trace in progress, if there is one, and whether the prober is behind it. */
function metadataOf(context: CallContext | undefined): Metadata {
  const metadata = new Metadata();
  const header = traceParent();
  if (header !== undefined) metadata.set(traceKey, header);
  if (context?.synthetic) metadata.set(syntheticKey, '1');
  return metadata;
}

function untracedUnary({ connection, clock }: Channel, method: Method, ownMs: number) {
  return (request: unknown, context?: CallContext): Promise<unknown> => {
    const remainingMs = remaining(clock, context, ownMs);
    const refusal = refusalOf(remainingMs, context?.signal);
    return new Promise((resolve, reject) => {
      if (refusal !== undefined) throw refusal;
      const signal = context?.signal;
      const call = connection.makeUnaryRequest(
        method.path,
        asIs,
        method.responseDeserialize,
        method.requestSerialize(request),
        metadataOf(context),
        within(remainingMs),
        (error, response) => {
          signal?.removeEventListener('abort', abort);
          if (error) reject(fromServiceError(error));
          else resolve(response);
        },
      );
      const abort = (): void => call.cancel();
      signal?.addEventListener('abort', abort);
    });
  };
}

async function* stream(channel: Channel, method: Method, request: unknown, context?: CallContext) {
  const { connection, clock } = channel;
  const remainingMs = remaining(clock, context, Number.POSITIVE_INFINITY);
  const refusal = refusalOf(remainingMs, context?.signal);
  if (refusal !== undefined) throw refusal;
  const call = connection.makeServerStreamRequest(
    method.path,
    asIs,
    method.responseDeserialize,
    method.requestSerialize(request),
    metadataOf(context),
    within(remainingMs),
  );
  const ended = recorder(channel, method)(context);
  // A cancelled call reports that as an error when nobody reads it any more.
  call.on('error', () => {});
  const abort = (): void => call.cancel();
  context?.signal?.addEventListener('abort', abort);
  try {
    yield* call;
    ended('OK');
  } catch (error) {
    const told = fromServiceError(error);
    ended(told.code);
    throw told;
  } finally {
    context?.signal?.removeEventListener('abort', abort);
    call.cancel();
  }
}

/** Requests are encoded before grpc-js sees them, so that a fault shows as what it is and not as a failed call. */
const asIs = (bytes: Buffer): Buffer => bytes;

function remaining(clock: Clock, context: CallContext | undefined, ownMs: number): number {
  if (context?.deadline === undefined) return ownMs;
  return Math.min(ownMs, context.deadline - deadlineMarginMs - clock.monotonicMs());
}

function refusalOf(remainingMs: number, signal: AbortSignal | undefined): RpcError | undefined {
  if (signal?.aborted) return cancelled();
  return remainingMs < leastUsefulMs ? deadlineExceeded() : undefined;
}

/** grpc-js counts on the system's clock, whatever the mesh's clock says. */
function within(remainingMs: number): CallOptions {
  return Number.isFinite(remainingMs) ? { deadline: systemClock.nowMs() + remainingMs } : {};
}
