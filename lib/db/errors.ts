/** PostgreSQL's error codes that the code decides upon, by name. */
export const uniqueViolation = '23505';
export const serializationFailure = '40001';
export const deadlockDetected = '40P01';
export const lockNotAvailable = '55P03';

/** True when PostgreSQL itself refused the statement with this code. */
export function isDatabaseError(error: unknown, code: string): boolean {
  return error instanceof Error && (error as { code?: unknown }).code === code;
}

/**
 * True when PostgreSQL refused a statement for what was in it (bad data, a constraint, an exception of a trigger), so
 * that the same statement with less in it may pass; false for everything that is wrong with the connection or server.
 */
export function refusedStatement(error: unknown): boolean {
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined;
  return typeof code === 'string' && /^(21|22|23|44|P0)[0-9A-Z]{3}$/.test(code);
}
