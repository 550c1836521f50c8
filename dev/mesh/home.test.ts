import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { lockHome, makeHome, refuseSecondMesh } from './home.ts';

function home(): string {
  const folder = mkdtempSync(join(tmpdir(), 'cwa-lock-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

test('a home belongs to one mesh, until it is given free', () => {
  const folder = home();
  const free = lockHome(folder);
  expect(() => lockHome(folder)).toThrow(/CWA_HOME: a mesh is already running in/);
  // Before its own ports are found taken.
  expect(() => refuseSecondMesh(folder)).toThrow(/CWA_HOME: a mesh is already running in/);
  free();
  refuseSecondMesh(folder);
  lockHome(folder)();
});

test('the lock of a mesh that was killed does not count', () => {
  const folder = home();
  writeFileSync(join(folder, 'mesh.pid'), '999999');
  lockHome(folder)();
});

test('a home that cannot exist is reported by the name of its setting', () => {
  expect(() => makeHome('/proc/no-such-place/cwa')).toThrow(/^CWA_HOME: the folder .* cannot be made \(ENOENT\)/);
});
