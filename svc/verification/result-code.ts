import type { StoredResult } from '../../gen/mesh/cwa/test_result/v1/test_result.ts';

/** Codes as phones know them (S 3.3). */
export const positive = 2;
const pendingCodes = new Set([0, 5]);
const positiveCodes = new Set([positive, 7]);

export const isPending = ({ found, code }: StoredResult): boolean => !found || pendingCodes.has(code);
export const isPositive = ({ found, code }: StoredResult): boolean => found && positiveCodes.has(code);
