import type { LabResult } from '../gen/mesh/cwa/test_result/v1/test_result.ts';
import { type Answer, emptyAnswer } from './answer.ts';
import { families, isGood, type LabDeps, lookUpResult, reportResults } from './lab.ts';
import type { LabRoute } from './lab-answers.ts';
import type { Partner, TestRoute } from './partners.ts';

const bad = emptyAnswer(400);

/** The lab and partner paths of S 3.1; `app/result` exists inside the mesh alone (decision 21). */
export function labRestRoutes(d: LabDeps): LabRoute[] {
  const reports = (['lab', 'quicktest', 'pocnat'] as const).map((route) => ({
    path: `/api/v1/${route}/results`,
    partnerRoute: () => route,
    answer: json((body, partner) => report(d, partner, route, body)),
  }));
  const lookUps = (['quicktest', 'pocnat'] as const).map((route) => ({
    path: `/api/v1/${route}/result`,
    partnerRoute: () => route,
    answer: json((body) => lookUp(d, route, body)),
  }));
  return [...reports, ...lookUps];
}

async function report(d: LabDeps, partner: Partner, route: TestRoute, body: Json): Promise<Answer> {
  const list = body['testResults'];
  const labId = body['labId'] ?? undefined;
  if (!Array.isArray(list) || (labId !== undefined && typeof labId !== 'string')) return bad;
  const results = list.map(resultOf);
  const done = await reportResults(d, partner, { family: families[route], labId, results, allOrNothing: true });
  if ('refused' in done) return emptyAnswer(done.refused);
  return emptyAnswer(done.outcomes.every(isGood) ? 204 : 400);
}

async function lookUp(d: LabDeps, route: TestRoute, body: Json): Promise<Answer> {
  const found = await lookUpResult(d, families[route], body['id']);
  if (found === undefined) return bad;
  return { status: 200, headers: [['content-type', 'application/json']], body: Buffer.from(JSON.stringify(found)) };
}

/**
 * Types only; which codes and times are right is test-result's to say. What has the wrong type becomes a value that is
 * never right, so that such a list is refused there and every item gets its receipt.
 */
function resultOf(row: unknown): LabResult {
  const { id, result, sc = null } = isJson(row) ? row : {};
  return {
    id: typeof id === 'string' ? id : '',
    result: isInt32(result) ? result : noResult,
    ...(sc === null ? {} : { sampleCollectedAt: Number.isSafeInteger(sc) ? BigInt(sc as number) : noTime }),
  };
}

const noResult = -1;
const noTime = 2n ** 62n;

const isInt32 = (value: unknown): value is number =>
  Number.isInteger(value) && (value as number) === ((value as number) | 0);

type Json = Record<string, unknown>;

const isJson = (value: unknown): value is Json => typeof value === 'object' && value !== null && !Array.isArray(value);

function json(answer: (body: Json, partner: Partner) => Promise<Answer>): LabRoute['answer'] {
  return async (head, body, partner) => {
    const [type = ''] = (head.header('content-type') ?? '').split(';');
    if (type.trim().toLowerCase() !== 'application/json') return emptyAnswer(415);
    let value: unknown;
    try {
      value = JSON.parse(body.toString());
    } catch {
      return bad;
    }
    return isJson(value) ? answer(value, partner) : bad;
  };
}
