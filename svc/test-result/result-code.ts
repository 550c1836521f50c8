import { TestFamily } from '../../gen/mesh/cwa/test_result/v1/test_result.ts';

export type Family =
  | typeof TestFamily.TEST_FAMILY_PCR
  | typeof TestFamily.TEST_FAMILY_QUICK_TEST
  | typeof TestFamily.TEST_FAMILY_POC_NAT;

/** Codes of each family (S 3.3): what may be delivered, what is answered without a row, what is final. */
const codes: Readonly<Record<Family, { first: number; last: number; pending: number; redeemed: number }>> = {
  [TestFamily.TEST_FAMILY_PCR]: { first: 1, last: 3, pending: 0, redeemed: 4 },
  [TestFamily.TEST_FAMILY_QUICK_TEST]: { first: 5, last: 9, pending: 5, redeemed: 9 },
  [TestFamily.TEST_FAMILY_POC_NAT]: { first: 10, last: 14, pending: 10, redeemed: 14 },
};

export const isFamily = (family: TestFamily): family is Family => Object.hasOwn(codes, family);

/** Whether partners of this family may deliver the code (S 3.2). */
export const isDeliverable = (family: Family, code: number): boolean =>
  Number.isInteger(code) && code >= codes[family].first && code <= codes[family].last;

export const pendingCode = (family: Family): number => codes[family].pending;

/** A redeemed result is final in every family (S 3.4 [D]). */
export const isFinal = (code: number): boolean => Object.values(codes).some(({ redeemed }) => redeemed === code);

/** The code as phones know it: PoC-NAT tests answer with the PCR codes 0 to 4 (S 3.3). */
export const phoneCode = (code: number): number => (code >= 10 ? code - 10 : code);

const results = ['pending', 'negative', 'positive', 'invalid', 'redeemed'] as const;

/** What a code means; every family has the same five, in the same order (S 3.3). */
export const meaningOf = (code: number): (typeof results)[number] => results[code % 5] ?? 'invalid';
