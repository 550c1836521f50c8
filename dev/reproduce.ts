import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeLocalSecrets } from './mesh/certificates.ts';
import { removeHome } from './mesh/home.ts';
import { build, makeSnapshot } from './reproduce/build.ts';

/**
 * `npm run reproduce`: publishes twice from one snapshot, on two fresh data directories, and compares every object.
 * With a transit signer, whose signatures differ each time, archives are compared by their `export.bin` (decision 30).
 */
if (process.argv.includes('--help')) {
  process.stdout.write(`npm run reproduce

Publishes twice from one snapshot of two days, on two fresh data directories, and compares every object by its SHA-256.
Exit status 0: all are equal. The signing key is made for the run, or the one that DISTRIBUTION_SIGNING_… names;
archives signed by a transit engine are compared by their export.bin, since its signatures differ each time.
`);
  process.exit(0);
}

const folder = mkdtempSync(join(tmpdir(), 'cwa-reproduce-'));
const homes = ['source', 'one', 'other'].map((name) => join(folder, name)) as [string, string, string];
process.once('SIGINT', () => process.exit(130));
process.once('exit', () => {
  for (const home of homes) removeHome(home);
  rmSync(folder, { recursive: true, force: true });
});

const given = Object.entries(process.env).filter(([name]) => /^DISTRIBUTION_(PREVIOUS_)?SIGNING_/.test(name));
const env = Object.fromEntries(given) as Record<string, string>;
const transit = Object.keys(env).some((name) => name.includes('_TRANSIT_'));
for (const home of homes) mkdirSync(home, { mode: 0o700 });
if (!transit) Object.assign(env, makeLocalSecrets(homes[0], env).signing);

// Ten past an hour well away from midnight: a build takes seconds and must not cross an hour.
const atMs = Math.floor(Date.now() / 86_400_000) * 86_400_000 + 10 * 3_600_000 + 600_000;
const what = transit ? 'content' : 'bytes';
process.stderr.write('making a snapshot: two days of keys, padding included\n');
const snapshot = await makeSnapshot({ home: homes[0], env, atMs });
process.stderr.write('building twice\n');
const one = await build({ home: homes[1], env, atMs }, snapshot, what);
const other = await build({ home: homes[2], env, atMs }, snapshot, what);

let differing = 0;
for (const key of [...new Set([...one.keys(), ...other.keys()])].sort()) {
  const [a, b] = [one.get(key), other.get(key)];
  if (a !== b) differing++;
  process.stdout.write(`${a === b ? `${a} equal ` : `${a ?? 'absent'} ${b ?? 'absent'} DIFFERS`} ${key}\n`);
}
const verdict = differing === 0 && one.size > 0 ? 'equal' : `${differing} differ`;
process.stdout.write(`${one.size} objects built twice, compared by ${what}: ${verdict}\n`);
process.exitCode = verdict === 'equal' ? 0 : 1;
