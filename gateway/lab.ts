import {
  type LabResult,
  type LabResultServiceService,
  StoreResultStatus,
  TestFamily,
} from '../gen/mesh/cwa/test_result/v1/test_result.ts';
import { HASHED_ID_PATTERN } from '../lib/exposure/token-format.ts';
import type { Client } from '../lib/rpc/api.ts';
import type { EdgeAlarms } from './alarms.ts';
import { type DeliveryWitness, witnessDelivery } from './lab-deliveries.ts';
import type { Partner, TestRoute } from './partners.ts';

export type LabMesh = Client<LabResultServiceService>;

export interface LabDeps extends DeliveryWitness {
  readonly labMesh: LabMesh;
  readonly alarms: EdgeAlarms;
}

/** The mesh for deliveries of the prober, marked as synthetic (decision 35). */
export function syntheticLabMesh(mesh: LabMesh): LabMesh {
  const synthetic = { synthetic: true };
  return {
    storeResults: (request, context) => mesh.storeResults(request, { ...context, ...synthetic }),
    lookUpResult: (request, context) => mesh.lookUpResult(request, { ...context, ...synthetic }),
    getReceipts: (request, context) => mesh.getReceipts(request, { ...context, ...synthetic }),
  };
}

/** Most items of one list (decision 21). */
export const maxItems = 10_000;

export const families: Readonly<Record<TestRoute, TestFamily>> = {
  lab: TestFamily.TEST_FAMILY_PCR,
  quicktest: TestFamily.TEST_FAMILY_QUICK_TEST,
  pocnat: TestFamily.TEST_FAMILY_POC_NAT,
};

export interface Report {
  readonly family: TestFamily;
  readonly labId: string | undefined;
  readonly results: readonly LabResult[];
  /** The REST paths refuse a list whole (S row 64); the Connect API stores what is good. */
  readonly allOrNothing: boolean;
}

export type ReportOutcome = { readonly refused: 400 | 413 } | { readonly outcomes: readonly StoreResultStatus[] };

/**
 * Hands a list of results to test-result, with the partner's certificate as the submitter. A labId that is not the
 * partner's is not passed on, but the list is, as one to refuse: so that its receipts say why.
 */
export async function reportResults(d: LabDeps, partner: Partner, report: Report): Promise<ReportOutcome> {
  const { family, labId, results, allOrNothing } = report;
  if (results.length > maxItems) return { refused: 413 };
  if (results.length === 0) return { refused: 400 };
  const labIdRefused = labId !== undefined && (labId.length > 64 || !partner.mayName(labId));
  if (labIdRefused) d.alarms.partnerRefused('lab-id', partner.name);
  const { outcomes } = await d.labMesh.storeResults({
    family,
    submitter: partner.fingerprint,
    ...(labId === undefined || labIdRefused ? {} : { labId }),
    ...(labIdRefused ? { labIdRefused } : {}),
    results: [...results],
    allOrNothing,
  });
  witnessDelivery(d, partner, results, outcomes);
  return { outcomes };
}

export const isGood = (status: StoreResultStatus): boolean =>
  status === StoreResultStatus.STORE_RESULT_STATUS_STORED || status === StoreResultStatus.STORE_RESULT_STATUS_UNCHANGED;

/** The partner's own look-up of a quick test or PoC-NAT result (S 3.1); undefined when the id cannot be one. */
export async function lookUpResult({ labMesh }: Pick<LabDeps, 'labMesh'>, family: TestFamily, id: unknown) {
  if (typeof id !== 'string' || !HASHED_ID_PATTERN.test(id)) return undefined;
  const { result, labId } = await labMesh.lookUpResult({ family, id });
  return { testResult: result, ...(labId === undefined ? {} : { labId }) };
}
