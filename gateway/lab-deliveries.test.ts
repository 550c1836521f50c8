import { expect, test } from 'vitest';
import { LabResult, StoreResultStatus } from '../gen/mesh/cwa/test_result/v1/test_result.ts';
import type { Metrics } from '../lib/telemetry/metrics.ts';
import { recordingLog } from '../lib/testing/rpc.ts';
import { fakeClock } from '../lib/testing/clock.ts';
import { witnessDelivery } from './lab-deliveries.ts';

const { STORE_RESULT_STATUS_STORED: stored, STORE_RESULT_STATUS_UNCHANGED: unchanged } = StoreResultStatus;

test('a delay is from the sample to now, never below zero, and of results that were stored alone', () => {
  const clock = fakeClock('2026-03-01T10:30:00Z');
  const now = Math.floor(clock.nowMs() / 1_000);
  const delays: number[] = [];
  const metrics: Metrics = { count() {}, observe() {}, record: (_name, _attributes, value) => void delays.push(value) };
  const sampledAt = (seconds?: number) =>
    LabResult.fromPartial(seconds === undefined ? {} : { sampleCollectedAt: BigInt(seconds) });
  const results = [sampledAt(now - 5_400), sampledAt(now + 30), sampledAt(now - 60), sampledAt()];
  const log = recordingLog();
  witnessDelivery({ metrics, clock, log }, { name: 'lab' }, results, [stored, stored, unchanged, stored]);

  expect(delays).toEqual([5_400, 0]);
  expect(log.lines).toEqual([
    { level: 'info', event: 'lab-results-delivered', partner: 'lab', count: 4, stored: 3, unchanged: 1, refused: 0 },
  ]);
});
