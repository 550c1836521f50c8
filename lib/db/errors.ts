/** PostgreSQL's error codes that the code decides upon, by name. */
export const uniqueViolation = '23505';
export const serializationFailure = '40001';
export const deadlockDetected = '40P01';
export const lockNotAvailable = '55P03';

/** True when PostgreSQL itself refused the statement with this code. */
export function isDatabaseError(error: unknown, code: string): boolean {
  return error instanceof Error && (error as { code?: unknown }).code === code;
}
