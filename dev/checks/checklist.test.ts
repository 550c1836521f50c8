import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { repositoryRoot } from '../mesh/child.ts';

/**
 * The checklists of the contracts (S: submission and verification, section 7; D: distribution, section 8, with its known
 * faults). Every row is a test that bears its number, or stands here with the reason why it is not. Nothing is left out
 * silently.
 */
const checklists = {
  'S row': {
    rows: 69,
    elsewhere: {
      29: 'consent and PCR on the key stream for federation: comes with federation (decision 12)',
      36: 'self-reports come with data donation (decision 19)',
      37: 'self-reports come with data donation (decision 19)',
      38: 'self-reports come with data donation (decision 19)',
      66: 'belongs to the portal (decision 12)',
      67: 'belongs to the portal (decision 12)',
      68: 'belongs to the portal (decision 12)',
    },
  },
  'D row': { rows: 54, elsewhere: {} },
  'D fault': {
    rows: 18,
    elsewhere: {
      13: 'statistics are out of scope: the archive is empty (decision 32)',
      14: 'README.md names pki/export-public.pem, with which dev/flows/prober.test.ts verifies',
    },
  },
} as const satisfies Record<string, { rows: number; elsewhere: Record<number, string> }>;

const tests = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '*.test.ts'], {
  cwd: repositoryRoot,
  encoding: 'utf8',
})
  .trim()
  .split('\n')
  .map((file) => readFileSync(join(repositoryRoot, file), 'utf8'))
  .join('\n');

/** Rows named as `S row 12`, `S rows 41 and 42`, `D rows 14, 15, 16` or `S rows 12 to 15`. */
function rowsNamed(list: string, text: string): Set<number> {
  const rows = new Set<number>();
  const mention = new RegExp(`\\b${list}s? (\\d+(?:(?:, | and | to |–|/)\\d+)*)`, 'g');
  for (const [, numbers = ''] of text.matchAll(mention)) {
    for (const [, first, last] of numbers.matchAll(/(\d+)(?:(?: to |–)(\d+))?/g)) {
      for (let row = Number(first); row <= Number(last ?? first); row++) rows.add(row);
    }
  }
  return rows;
}

for (const [list, { rows, elsewhere }] of Object.entries(checklists)) {
  test(`every row of checklist ${list} is a test or has a reason`, () => {
    const named = rowsNamed(list, tests);
    const missing = Array.from({ length: rows }, (_, i) => i + 1).filter(
      (row) => !named.has(row) && !(row in elsewhere),
    );
    expect(missing).toEqual([]);
  });
}

test('mentions of rows are read as lists and ranges', () => {
  expect([...rowsNamed('S row', 'S row 3: x; S rows 5, 7 and 9; S rows 12 to 14; S fault 8; D row 99')]).toEqual([
    3, 5, 7, 9, 12, 13, 14,
  ]);
});
