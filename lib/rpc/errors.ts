/** gRPC status names that may leave a handler; anything else becomes INTERNAL without text. */
export type ErrorCode =
  | 'INVALID_ARGUMENT'
  | 'UNAUTHENTICATED'
  | 'PERMISSION_DENIED'
  | 'RESOURCE_EXHAUSTED'
  | 'FAILED_PRECONDITION'
  | 'UNAVAILABLE'
  | 'DEADLINE_EXCEEDED'
  | 'CANCELLED'
  | 'INTERNAL';

/**
 * The one error type that crosses the mesh. `reason` is a constant of the code, never text of a caller
 * (threats-and-wishes row 1).
 */
export class RpcError extends Error {
  readonly code: ErrorCode;
  readonly reason: string;

  constructor(code: ErrorCode, reason: string, options?: ErrorOptions) {
    super(`${code}: ${reason}`, options);
    this.name = 'RpcError';
    this.code = code;
    this.reason = reason;
  }
}

export const invalidArgument = (reason: string): RpcError => new RpcError('INVALID_ARGUMENT', reason);
export const permissionDenied = (reason: string): RpcError => new RpcError('PERMISSION_DENIED', reason);
export const unavailable = (reason: string, cause?: unknown): RpcError =>
  new RpcError('UNAVAILABLE', reason, cause === undefined ? {} : { cause });
