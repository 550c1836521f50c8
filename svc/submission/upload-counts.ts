import { UploadStatus } from '../../gen/mesh/cwa/submission/v1/submission.ts';
import type { AttributesOf } from '../../lib/telemetry/catalog/catalog.ts';
import type { Metrics } from '../../lib/telemetry/metrics.ts';

type Outcome = AttributesOf<'cwa.submission.uploads'>['cwa.outcome'];
type Type = AttributesOf<'submission_controller.requests'>['type'];
type Kind = 'real' | 'submissionOnBehalf';

const kinds: readonly Kind[] = ['real', 'submissionOnBehalf'];
const outcomes: readonly Outcome[] = ['stored', 'payload-refused', 'tan-refused', 'unavailable'];
const outcomeOf: Partial<Record<UploadStatus, Outcome>> = {
  [UploadStatus.UPLOAD_STATUS_STORED]: 'stored',
  [UploadStatus.UPLOAD_STATUS_INVALID_PAYLOAD]: 'payload-refused',
  [UploadStatus.UPLOAD_STATUS_TAN_REFUSED]: 'tan-refused',
};
const valid = outcomes.filter((outcome) => outcome !== 'payload-refused');
/** The original's counters, of which `all` and `real` rise for every valid payload, whatever becomes of its TAN (S 1.12). */
const cellsOf: Readonly<Record<Type, readonly [readonly Kind[], readonly Outcome[]]>> = {
  all: [kinds, valid],
  real: [['real'], valid],
  submissionOnBehalf: [['submissionOnBehalf'], valid],
  invalidPayload: [kinds, ['payload-refused']],
  invalidTan: [kinds, ['tan-refused']],
  unavailable: [kinds, ['unavailable']],
};
const step = 5;

/**
 * Counts each upload once, by its kind and how it ended. Both counters of uploads are sums of these numbers, each rounded
 * down by itself, and so move together; with rests of their own they would take turns in telling of an upload to the
 * minute (decision 34).
 */
export function uploadCounts(metrics: Metrics): (onBehalf: boolean, status: UploadStatus) => void {
  const cells = new Map<string, number>();
  const sum = (of: readonly Kind[], by: readonly Outcome[]): number =>
    of.flatMap((kind) => by.map((outcome) => cells.get(`${kind} ${outcome}`) ?? 0)).reduce(addSteps, 0);
  metrics.observe('cwa.submission.uploads', () =>
    outcomes.map((outcome) => ({ attributes: { 'cwa.outcome': outcome }, value: sum(kinds, [outcome]) })),
  );
  metrics.observe('submission_controller.requests', () =>
    (Object.keys(cellsOf) as Type[]).map((type) => ({ attributes: { type }, value: sum(...cellsOf[type]) })),
  );
  return (onBehalf, status) => {
    const cell = `${onBehalf ? 'submissionOnBehalf' : 'real'} ${outcomeOf[status] ?? 'unavailable'}`;
    cells.set(cell, (cells.get(cell) ?? 0) + 1);
  };
}

const addSteps = (all: number, count: number): number => all + Math.floor(count / step) * step;
