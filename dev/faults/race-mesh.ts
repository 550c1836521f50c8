import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SubmissionServiceService } from '../../gen/mesh/cwa/submission/v1/submission.ts';
import {
  RegistrationServiceService,
  TanServiceService,
  TeleTanServiceService,
} from '../../gen/mesh/cwa/verification/v1/verification.ts';
import { freePort } from '../../lib/process/free-port.ts';
import { openPool, type Pool } from '../../lib/db/pool.ts';
import type { Client } from '../../lib/rpc/api.ts';
import { watchCertificates } from '../../lib/rpc/certificates.ts';
import { clientOf, openChannel } from '../../lib/rpc/client.ts';
import type { ProcessName } from '../../lib/rpc/communication-matrix.ts';
import { silentLog } from '../../lib/telemetry/log.ts';
import { systemClock } from '../../lib/time/clock.ts';
import { makePki } from '../mesh/certificates.ts';
import { startProcess } from '../mesh/child.ts';
import type { DatabaseOwner } from '../mesh/databases.ts';
import { removeHome } from '../mesh/home.ts';
import { type Mesh, startMesh } from '../mesh/mesh.ts';
import { openPhoneLine, type PhoneLine } from './positive-phone.ts';

/** A mesh with two replicas of the services that must decide together, and callers of everything that is raced. */
export interface RaceMesh {
  readonly mesh: Mesh;
  readonly pools: { readonly submission: Pool; readonly verification: Pool; readonly testResult: Pool };
  /** One client a replica. */
  readonly registration: readonly Client<RegistrationServiceService>[];
  readonly tans: readonly Client<TanServiceService>[];
  readonly teleTans: readonly Client<TeleTanServiceService>[];
  readonly submission: readonly Client<SubmissionServiceService>[];
  /** With a connection for each of `width` phones. */
  readonly phones: PhoneLine;
  leave(): Promise<void>;
}

export interface RaceMeshOptions {
  /** Phones that race. */
  readonly width: number;
  readonly teleTansPerHour: number;
}

/** A thousand calls at once wait for each other. */
const deadlineMs = 60_000;

export async function startRaceMesh(options: RaceMeshOptions): Promise<RaceMesh> {
  await using opened = new AsyncDisposableStack();
  const race = await open(options, opened);
  const leaving = opened.move();
  return { ...race, leave: () => leaving.disposeAsync() };
}

async function open(
  { width, teleTansPerHour }: RaceMeshOptions,
  opened: AsyncDisposableStack,
): Promise<Omit<RaceMesh, 'leave'>> {
  const home = mkdtempSync(join(tmpdir(), 'cwa-race-'));
  opened.defer(() => removeHome(home));
  const pki = join(home, 'pki');
  // The portal calls verification, but is no process of the local mesh yet.
  await makePki(home, ['portal']);
  const mesh = await startMesh({
    home,
    env: {
      GATEWAY_HOST: '127.0.0.1',
      GATEWAY_ANSWER_FLOOR_MS: '0',
      GATEWAY_MESH_DEADLINE_MS: String(deadlineMs),
      VERIFICATION_TELE_TANS_PER_HOUR: String(teleTansPerHour),
    },
    anyPorts: true,
  });
  opened.defer(() => mesh.close());
  const verification = await replicasOf(mesh, 'verification', opened);
  const submission = await replicasOf(mesh, 'submission', opened);
  const poolOf = (owner: DatabaseOwner): Pool => {
    const pool = openPool({ url: mesh.databaseUrl(owner), poolSize: 2, setting: 'DATABASE_URL' }, silentLog);
    opened.defer(() => pool.close());
    return pool;
  };
  const callers = <S>(
    caller: ProcessName,
    called: ProcessName,
    ports: readonly number[],
    name: string,
    definition: S,
  ) =>
    ports.map((port) => {
      const certificates = watchCertificates({
        certFile: join(pki, `${caller}.crt`),
        keyFile: join(pki, `${caller}.key`),
        caFile: join(pki, 'ca.crt'),
      });
      const address = `127.0.0.1:${port}`;
      const channel = openChannel({ address, serverName: called, certificates, clock: systemClock });
      opened.defer(() => {
        channel.close();
        certificates.close();
      });
      return clientOf(channel, name, definition, { deadlineMs });
    });
  const phones = openPhoneLine(mesh, {
    port: mesh.ports.GATEWAY_PHONE_PORT,
    connections: width,
    patienceMs: deadlineMs,
  });
  opened.defer(() => phones.close());
  const of = 'cwa.verification.v1';
  return {
    mesh,
    pools: {
      submission: poolOf('SUBMISSION'),
      verification: poolOf('VERIFICATION'),
      testResult: poolOf('TEST_RESULT'),
    },
    registration: callers(
      'gateway',
      'verification',
      verification,
      `${of}.RegistrationService`,
      RegistrationServiceService,
    ),
    tans: callers('submission', 'verification', verification, `${of}.TanService`, TanServiceService),
    teleTans: callers('portal', 'verification', verification, `${of}.TeleTanService`, TeleTanServiceService),
    submission: callers(
      'gateway',
      'submission',
      submission,
      'cwa.submission.v1.SubmissionService',
      SubmissionServiceService,
    ),
    phones,
  };
}

/** Ports of the mesh's own process and of a second one on the same database. */
async function replicasOf(
  mesh: Mesh,
  name: 'verification' | 'submission',
  opened: AsyncDisposableStack,
): Promise<number[]> {
  const first = mesh.processes.get(name)?.options;
  if (first === undefined) throw new Error(`${name} is not running`);
  const prefix = name.toUpperCase();
  const [port, managementPort] = [await freePort(), await freePort()];
  const second = await startProcess({
    ...first,
    env: { ...first.env, [`${prefix}_PORT`]: String(port), [`${prefix}_MANAGEMENT_PORT`]: String(managementPort) },
    logFile: join(mesh.home, 'log', `${name}-2.log`),
    readyUrl: `http://127.0.0.1:${managementPort}/health/ready`,
  });
  opened.defer(() => second.stop());
  return [Number(first.env[`${prefix}_PORT`]), port];
}
