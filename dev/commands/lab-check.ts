import { randomBytes } from 'node:crypto';
import { createClient } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-node';
import { Agent, request } from 'undici';
import { LabService, ResultStatus, TestFamily } from '../../gen/edge/cwa/lab/v1/lab_pb.ts';

export interface LabUnderCheck {
  /** `https://host:port` of the partners' port. */
  readonly url: string;
  /** PEM: the authority of the gateway's certificate, and the laboratory's own pair. */
  readonly ca: string;
  readonly cert: string;
  readonly key: string;
  /** One that is listed for the certificate; absent: lists name none. */
  readonly labId?: string;
}

export interface CheckedCase {
  readonly name: string;
  readonly ok: boolean;
  /** What came instead. */
  readonly detail?: string;
}

const families = [
  { path: 'lab', family: TestFamily.PCR, codes: [1, 2, 3], bad: 4 },
  { path: 'quicktest', family: TestFamily.QUICK_TEST, codes: [5, 6, 7, 8, 9], bad: 10 },
  { path: 'pocnat', family: TestFamily.POC_NAT, codes: [10, 11, 12, 13, 14], bad: 9 },
];

/** Ids that belong to nobody: random, so that a check can be repeated and disturbs no real test. */
const anId = (): string => randomBytes(32).toString('hex');

/**
 * What a laboratory's software meets, tried with its certificate: good lists, bad lists, repeated lists, look-ups and
 * receipts, over REST and the typed API (S 3, decisions 21 and 22). Everything it stores is under random ids. Paths
 * that the certificate may not use answer 403 and are told as such.
 */
export async function checkLab(lab: LabUnderCheck): Promise<CheckedCase[]> {
  const { url, ca, cert, key } = lab;
  const dispatcher = new Agent({ connect: { ca, cert, key } });
  const typed = createClient(
    LabService,
    createConnectTransport({ baseUrl: url, httpVersion: '1.1', nodeOptions: { ca, cert, key } }),
  );
  const cases: CheckedCase[] = [];
  const labId = lab.labId === undefined ? {} : { labId: lab.labId };

  async function check(name: string, wanted: unknown, got: Promise<unknown>): Promise<void> {
    const [want, have] = await Promise.all([wanted, got.catch(failure)]).then((both) =>
      both.map((v) => JSON.stringify(v)),
    );
    cases.push(want === have ? { name, ok: true } : { name, ok: false, detail: `wanted ${want}, got ${have}` });
  }
  async function post(path: string, body: unknown, type = 'application/json') {
    const answer = await request(`${url}/api/v1/${path}`, {
      dispatcher,
      method: 'POST',
      headers: { 'content-type': type },
      body: typeof body === 'string' ? body : JSON.stringify(body),
    });
    return { status: answer.statusCode, text: await answer.body.text() };
  }
  const statusOf = async (path: string, body: unknown, type?: string) => (await post(path, body, type)).status;
  const receipts = async (family: TestFamily, ids: string[]) =>
    (await typed.getReceipts({ family, ids })).histories.map((history) =>
      history.receipts.map(({ status }) => status).sort((a, b) => a - b),
    );

  try {
    for (const { path, family, codes, bad } of families) {
      const results = `${path}/results`;
      const items = codes.map((result) => ({ id: anId(), result }));
      const ids = items.map(({ id }) => id);
      const first = await statusOf(results, { testResults: items, ...labId }).catch(failure);
      if (first === 403) {
        cases.push({ name: `${path}: not listed for this certificate (403), not checked`, ok: true });
        continue;
      }
      await check(`${path}: a good list is stored (204)`, 204, Promise.resolve(first));
      await check(
        `${path}: the same list again changes nothing (204)`,
        204,
        statusOf(results, { testResults: items, ...labId }),
      );
      await check(
        `${path}: the receipts say stored, then unchanged`,
        ids.map(() => [ResultStatus.STORED, ResultStatus.UNCHANGED]),
        receipts(family, ids),
      );
      const refused = [anId(), anId()];
      const list = (item: object) => ({
        testResults: [
          { id: refused[0], result: codes[0] },
          { id: refused[1], result: codes[0], ...item },
        ],
        ...labId,
      });
      await check(`${path}: a list with one bad item is refused (400)`, 400, statusOf(results, list({ result: bad })));
      await check(
        `${path}: the receipts say which item was bad, and why`,
        [[ResultStatus.LIST_REFUSED], [ResultStatus.INVALID_RESULT]],
        receipts(family, refused),
      );
      await check(`${path}: a time in milliseconds is refused (400)`, 400, statusOf(results, list({ sc: Date.now() })));
      await check(`${path}: an id that is no hash is refused (400)`, 400, statusOf(results, list({ id: 'A-GUID' })));
      await check(`${path}: an empty list is refused (400)`, 400, statusOf(results, { testResults: [], ...labId }));
      await check(
        `${path}: a labId of 65 characters is refused (400)`,
        400,
        statusOf(results, { ...list({}), labId: 'x'.repeat(65) }),
      );
      await check(
        `${path}: more than 10,000 results are refused (413)`,
        413,
        statusOf(results, { testResults: Array.from({ length: 10_001 }, () => items[0]), ...labId }),
      );
      const single = [
        { id: anId(), result: codes[0] ?? 0 },
        { id: 'A-GUID', result: codes[0] ?? 0 },
      ];
      await check(
        `${path}: the typed API stores the good ones and names the bad`,
        [ResultStatus.STORED, ResultStatus.INVALID_ID],
        typed
          .reportResults({ family, results: single, ...labId })
          .then((answer) => answer.receipts.map(({ status }) => status)),
      );
      if (path === 'lab') continue;
      await check(
        `${path}: a look-up with the delivered id finds the result`,
        { status: 200, text: { testResult: codes[1], ...labId } },
        post(`${path}/result`, { id: ids[1] }).then(({ status, text }) => ({
          status,
          text: JSON.parse(text) as unknown,
        })),
      );
      await check(
        `${path}: an unknown id is pending`,
        { status: 200, text: { testResult: family === TestFamily.QUICK_TEST ? 5 : 10 } },
        post(`${path}/result`, { id: anId() }).then(({ status, text }) => ({
          status,
          text: JSON.parse(text) as unknown,
        })),
      );
    }
    await check(
      'test_results instead of testResults is refused (400)',
      400,
      statusOf('lab/results', { test_results: [] }),
    );
    await check('what is no JSON is refused (400)', 400, statusOf('lab/results', '{'));
    await check('another content type is refused (415)', 415, statusOf('lab/results', '{}', 'text/plain'));
    await check('the phones’ look-up does not exist here (404)', 404, statusOf('app/result', { id: anId() }));
    await check(
      'refusals are empty',
      '',
      post('lab/results', '{').then(({ text }) => text),
    );
  } finally {
    await dispatcher.close();
  }
  return cases;
}

/** Kind of failure only; what a connection says may hold names. */
function failure(error: unknown): string {
  const { code, name } = error as { code?: string | number; name?: string };
  return `failure ${String(code ?? name)}`;
}
