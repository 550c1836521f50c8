import { BlobStoreError } from './blob.ts';
import type { BlobStoreFault } from './blob.ts';

/** Status 0 means that no answer came. */
export interface S3Fault {
  status: number;
  code: string;
}

const REMEDY: Record<BlobStoreFault, string> = {
  UNREACHABLE: 'check S3_ENDPOINT and that the object store runs',
  ACCESS_DENIED:
    'check S3_ACCESS_KEY_ID, S3_SECRET_ACCESS_KEY (or S3_SECRET_ACCESS_KEY_FILE), S3_REGION and the rights of that key',
  CLOCK_SKEWED: 'set the clock of this machine or of the object store',
  NO_BUCKET: 'create the bucket or correct S3_BUCKET',
  REFUSED: 'the object store does not accept this request',
  DAMAGED: 'the bytes that arrived do not match their checksum',
  CLOSED: 'the client has been closed',
};

/** What went wrong, read from the SDK's error without keeping it: it carries the signed request. */
export function s3FaultOf(error: unknown): S3Fault {
  const { $metadata, name, code } = (error ?? {}) as {
    $metadata?: { httpStatusCode?: number };
    name?: string;
    code?: string;
  };
  const status = $metadata?.httpStatusCode ?? 0;
  // The SDK has no type for a body that fails its checksum while it is read.
  if (status === 0 && error instanceof Error && error.message.startsWith('Checksum mismatch'))
    return { status, code: 'ChecksumMismatch' };
  const word = status === 0 ? (code ?? name) : name;
  return { status, code: /^[A-Za-z0-9_.-]{1,60}$/.test(word ?? '') ? (word as string) : 'Error' };
}

/** Worth another attempt: no answer, the server's fault, or a conflict that S3 asks to repeat. */
export function isRetryable({ status, code }: S3Fault): boolean {
  if (status === 0 || status >= 500 || status === 429) return status !== 501;
  return [
    'RequestTimeout',
    'SlowDown',
    'ConditionalRequestConflict',
    'OperationAborted',
    'RequestTimeTooSkewed',
  ].includes(code);
}

/** `what` is the operation with its object key: keys are public paths. */
export function blobStoreError(fault: S3Fault, what: string, where: string): BlobStoreError {
  const reason = reasonOf(fault);
  const cause = fault.status === 0 ? fault.code : `${fault.status} ${fault.code}`;
  return new BlobStoreError(reason, `object store ${where}: ${what} failed (${cause}); ${REMEDY[reason]}`);
}

function reasonOf({ status, code }: S3Fault): BlobStoreFault {
  if (code === 'Closed') return 'CLOSED';
  if (code === 'RequestTimeTooSkewed') return 'CLOCK_SKEWED';
  if (code === 'NoSuchBucket') return 'NO_BUCKET';
  if (code === 'ChecksumMismatch') return 'DAMAGED';
  if (status === 401 || status === 403 || code === 'AuthorizationHeaderMalformed') return 'ACCESS_DENIED';
  return status === 0 || status >= 500 || status === 429 ? 'UNREACHABLE' : 'REFUSED';
}
