import { expect, test } from 'vitest';
import { unavailable } from '../lib/rpc/errors.ts';
import { type LogFields, silentLog } from '../lib/telemetry/log.ts';
import { failureTally } from './failure-tally.ts';

test('failures are told together, by kind, in steps of 5, never one by one', async () => {
  const told: [string, LogFields | undefined][] = [];
  const tally = failureTally({ ...silentLog, error: (event, fields) => told.push([event, fields]) }, 'failed', 50);
  for (let i = 0; i < 7; i++) tally.add(unavailable('UNREACHABLE'));
  tally.add(new TypeError('secret'));
  expect(told).toEqual([]);
  await new Promise((done) => setTimeout(done, 80));
  expect(told.map(([event, fields]) => [event, fields?.errorName, fields?.count])).toEqual([
    ['failed', 'RpcError', 10],
    ['failed', 'TypeError', 5],
  ]);
  tally.add(new TypeError('secret'));
  tally.close();
  expect(told).toHaveLength(3);
  expect(JSON.stringify(told)).not.toContain('secret');
});
