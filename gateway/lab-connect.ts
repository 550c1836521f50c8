import { createContextKey, createContextValues, type HandlerContext } from '@connectrpc/connect';
import { LabService, ResultStatus, TestFamily } from '../gen/edge/cwa/lab/v1/lab_pb.ts';
import { type DeliveryReceipt, StoreResultStatus } from '../gen/mesh/cwa/test_result/v1/test_result.ts';
import { emptyAnswer } from './answer.ts';
import { connectError, connectMethods } from './connect.ts';
import { families, type LabDeps, lookUpResult, maxItems, reportResults } from './lab.ts';
import { labLimit, type LabRoute } from './lab-answers.ts';
import type { Partner, TestRoute } from './partners.ts';

const caller = createContextKey<Partner | undefined>(undefined);

/** The typed API for labs: every result of a list gets its own receipt, and the good ones are stored (issue 3). */
export function labConnectRoutes(d: LabDeps): LabRoute[] {
  const methods = connectMethods((router) => {
    router.service(LabService, {
      async reportResults({ family, labId, results }, context) {
        const route = routeOf(family);
        const done = await reportResults(d, allowed(d, context, route), {
          family: families[route],
          labId,
          results: results.map(({ id, result, sc }) => ({
            id,
            result,
            ...(sc === undefined ? {} : { sampleCollectedAt: sc }),
          })),
          allOrNothing: false,
        });
        if ('refused' in done) throw connectError(done.refused);
        return { receipts: done.outcomes.map((outcome) => ({ status: statusOf(outcome) })) };
      },
      async lookUpResult({ family, id }, context) {
        const route = routeOf(family);
        if (route === 'lab') throw connectError(400);
        allowed(d, context, route);
        const found = await lookUpResult(d, families[route], id);
        if (found === undefined) throw connectError(400);
        return found;
      },
      async getReceipts({ family, ids }, context) {
        const route = routeOf(family);
        const { fingerprint } = allowed(d, context, route);
        if (ids.length > maxItems) throw connectError(413);
        const { histories } = await d.labMesh.getReceipts({ submitter: fingerprint, family: families[route], ids });
        return { histories: histories.map((history) => ({ receipts: history.receipts.map(receiptOf) })) };
      },
    });
  }, labLimit);
  return methods.map((method) => ({
    path: method.path,
    // The family, and with it the partner's right, stands in the message.
    partnerRoute: () => undefined,
    async answer(head, body, partner) {
      const {
        status,
        contentType,
        body: bytes,
      } = await method.call(head, body, createContextValues().set(caller, partner));
      return contentType === undefined
        ? emptyAnswer(status)
        : { status, headers: [['content-type', contentType]], body: bytes };
    },
  }));
}

function routeOf(family: TestFamily): TestRoute {
  switch (family) {
    case TestFamily.PCR:
      return 'lab';
    case TestFamily.QUICK_TEST:
      return 'quicktest';
    case TestFamily.POC_NAT:
      return 'pocnat';
    default:
      throw connectError(400);
  }
}

function allowed({ alarms }: LabDeps, context: HandlerContext, route: TestRoute): Partner {
  const partner = context.values.get(caller);
  if (partner?.mayUse(route)) return partner;
  alarms.partnerRefused('route', partner?.name);
  throw connectError(403);
}

const statuses = new Map<StoreResultStatus, ResultStatus>([
  [StoreResultStatus.STORE_RESULT_STATUS_STORED, ResultStatus.STORED],
  [StoreResultStatus.STORE_RESULT_STATUS_UNCHANGED, ResultStatus.UNCHANGED],
  [StoreResultStatus.STORE_RESULT_STATUS_INVALID_ID, ResultStatus.INVALID_ID],
  [StoreResultStatus.STORE_RESULT_STATUS_INVALID_RESULT, ResultStatus.INVALID_RESULT],
  [StoreResultStatus.STORE_RESULT_STATUS_INVALID_SAMPLE_TIME, ResultStatus.INVALID_SAMPLE_TIME],
  [StoreResultStatus.STORE_RESULT_STATUS_INVALID_LAB_ID, ResultStatus.INVALID_LAB_ID],
  [StoreResultStatus.STORE_RESULT_STATUS_OTHER_FAMILY, ResultStatus.OTHER_FAMILY],
  [StoreResultStatus.STORE_RESULT_STATUS_LIST_REFUSED, ResultStatus.LIST_REFUSED],
]);

const statusOf = (status: StoreResultStatus): ResultStatus => statuses.get(status) ?? ResultStatus.UNSPECIFIED;

const receiptOf = ({ status, deliveryHour }: DeliveryReceipt) => ({ status: statusOf(status), deliveryHour });
