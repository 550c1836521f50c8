import { Metadata, status } from '@grpc/grpc-js';
import { type ErrorCode, RpcError } from './errors.ts';

const codes = {
  INVALID_ARGUMENT: status.INVALID_ARGUMENT,
  UNAUTHENTICATED: status.UNAUTHENTICATED,
  PERMISSION_DENIED: status.PERMISSION_DENIED,
  RESOURCE_EXHAUSTED: status.RESOURCE_EXHAUSTED,
  FAILED_PRECONDITION: status.FAILED_PRECONDITION,
  UNAVAILABLE: status.UNAVAILABLE,
  DEADLINE_EXCEEDED: status.DEADLINE_EXCEEDED,
  CANCELLED: status.CANCELLED,
  INTERNAL: status.INTERNAL,
} satisfies Record<ErrorCode, number>;

const names = new Map<number, ErrorCode>(Object.entries(codes).map(([name, code]) => [code, name as ErrorCode]));

const reasonKey = 'cwa-reason';
const reasonForm = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;

/** Reasons that this library itself gives; services have theirs in proto/cwa/exposure/v1. */
export const rpcReason = {
  callerNotAllowed: 'CALLER_NOT_ALLOWED',
  deadline: 'DEADLINE',
  cancelled: 'CANCELLED',
  unreachable: 'UNREACHABLE',
  tooLarge: 'MESSAGE_TOO_LARGE',
  notImplemented: 'NOT_IMPLEMENTED',
  internal: 'INTERNAL',
} as const;

export const deadlineExceeded = (): RpcError => new RpcError('DEADLINE_EXCEEDED', rpcReason.deadline);
export const cancelled = (): RpcError => new RpcError('CANCELLED', rpcReason.cancelled);

/** The status name a call ended with, for metrics and spans. */
export const codeOf = (error: unknown): ErrorCode => (error instanceof RpcError ? error.code : 'INTERNAL');

interface Trailer {
  code: number;
  details: string;
  metadata: Metadata;
}

/** What leaves a process: code and reason of an RpcError, nothing of anything else. */
export function toTrailer(error: unknown): Trailer {
  const metadata = new Metadata();
  if (!(error instanceof RpcError)) return { code: status.INTERNAL, details: '', metadata };
  metadata.set(reasonKey, error.reason);
  return { code: codes[error.code], details: '', metadata };
}

/** Rebuilds the RpcError of the other side from what grpc-js reports; the text beside the code is dropped. */
export function fromServiceError(error: unknown): RpcError {
  if (error instanceof RpcError) return error;
  const { code, metadata } = error as { code?: number; metadata?: Metadata };
  const name = names.get(code ?? -1) ?? 'INTERNAL';
  const sent = metadata?.get(reasonKey)[0];
  const reason = typeof sent === 'string' && reasonForm.test(sent) ? sent : ownReason(name, code);
  return new RpcError(name, reason, { cause: error });
}

/** The reason of a status that grpc-js made itself, on either side. */
function ownReason(name: ErrorCode, code: number | undefined): string {
  switch (name) {
    case 'UNAVAILABLE':
      return rpcReason.unreachable;
    case 'DEADLINE_EXCEEDED':
      return rpcReason.deadline;
    case 'CANCELLED':
      return rpcReason.cancelled;
    case 'RESOURCE_EXHAUSTED':
      return rpcReason.tooLarge;
    default:
      return code === status.UNIMPLEMENTED ? rpcReason.notImplemented : rpcReason.internal;
  }
}
