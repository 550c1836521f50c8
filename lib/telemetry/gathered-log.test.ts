import { expect, test } from 'vitest';
import { recordingLog } from '../testing/rpc.ts';
import { gatheredLog } from './gathered-log.ts';

test('decision 34: not even the first failure is told when it happens; those alike are told together', async () => {
  const log = recordingLog();
  const gathered = gatheredLog(log, 50);
  for (let i = 0; i < 7; i++) gathered.warn('tans-not-reserved', { errorName: 'RpcError', count: 3, stack: `at ${i}` });
  gathered.warn('tans-not-reserved', { errorName: 'TypeError' });
  gathered.error('item-failed', { errorName: 'TypeError' });
  gathered.info('purged');
  expect(log.lines.map(({ event }) => event)).toEqual(['purged']);
  await new Promise((done) => setTimeout(done, 80));
  expect(log.lines.slice(1)).toEqual([
    { level: 'warn', event: 'tans-not-reserved', errorName: 'RpcError', stack: 'at 0', count: 10 },
    { level: 'warn', event: 'tans-not-reserved', errorName: 'TypeError', count: 5 },
    { level: 'error', event: 'item-failed', errorName: 'TypeError', count: 5 },
  ]);
  gathered.error('item-failed');
  gathered.close();
  expect(log.lines).toHaveLength(5);
});
