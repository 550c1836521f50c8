import { X509Certificate } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import { startGateway } from '../../gateway/fixtures/start-gateway.ts';
import { startLabMesh } from '../../gateway/fixtures/start-lab-mesh.ts';
import { silentLog } from '../../lib/telemetry/log.ts';
import { checkLab } from './lab-check.ts';

const url = (port: number) => `https://localhost:${port}`;

test('a laboratory’s check of the real services passes, for the routes that its certificate may use', async () => {
  const gateway = await startLabMesh(silentLog);
  onTestFinished(() => gateway.close());
  const lab = { url: url(gateway.labPort), ca: gateway.ca };
  const all = await checkLab({ ...lab, ...gateway.identity('lab'), labId: 'any' });
  expect(all.filter(({ ok }) => !ok)).toEqual([]);
  expect(all).toHaveLength(3 * 11 + 2 * 2 + 5);

  const fingerprint = new X509Certificate(gateway.identity('small').cert).fingerprint256;
  gateway.writePartners([{ name: 'small', fingerprint, labIds: ['lab-1'], routes: ['lab'] }]);
  await expect
    .poll(async () =>
      (await checkLab({ ...lab, ...gateway.identity('small'), labId: 'lab-1' })).map(({ name }) => name),
    )
    .toContain('quicktest: not listed for this certificate (403), not checked');
  const some = await checkLab({ ...lab, ...gateway.identity('small'), labId: 'lab-1' });
  expect(some.filter(({ ok }) => !ok)).toEqual([]);
  expect(some).toHaveLength(11 + 2 + 5);
}, 60_000);

test('it fails by name on a server that does not keep the rules, and on one that is not there', async () => {
  const gateway = await startGateway();
  onTestFinished(() => gateway.close());
  const lab = { ca: gateway.ca, ...gateway.identity('lab') };
  const failed = (await checkLab({ url: url(gateway.labPort), ...lab })).filter(({ ok }) => !ok);
  expect(failed.map(({ name }) => name)).toContain('lab: the receipts say stored, then unchanged');
  expect(failed[0]?.detail).toMatch(/^wanted .*, got /);
  const absent = await checkLab({ url: url(1), ...lab });
  expect(absent.every(({ ok }) => !ok)).toBe(true);
}, 60_000);
