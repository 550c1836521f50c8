import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { communicationMatrix } from '../../lib/rpc/communication-matrix.ts';
import { repositoryRoot } from '../mesh/child.ts';

test('the table in docs/architecture.md is the communication matrix', () => {
  const document = readFileSync(join(repositoryRoot, 'docs', 'architecture.md'), 'utf8');
  const rows = document.split('\n').filter((line) => line.startsWith('| `cwa.'));
  const wanted = Object.entries(communicationMatrix).map(
    ([service, { process, callers, idempotent }]) =>
      `| \`${service}\` | ${process} | ${callers.join(', ')} | ${idempotent.join(', ') || '-'} |`,
  );
  expect(rows).toEqual(wanted);
});
