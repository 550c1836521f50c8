import { LabResultServiceService } from '../gen/mesh/cwa/test_result/v1/test_result.ts';
import { RegistrationServiceService } from '../gen/mesh/cwa/verification/v1/verification.ts';
import { SubmissionServiceService } from '../gen/mesh/cwa/submission/v1/submission.ts';
import { openS3BlobStore } from '../lib/blob/s3-blob-store.ts';
import { startManagement } from '../lib/process/management.ts';
import { runProcess } from '../lib/process/run.ts';
import { secureRandom } from '../lib/random/random.ts';
import { watchCertificates } from '../lib/rpc/certificates.ts';
import { clientOf, openChannel } from '../lib/rpc/client.ts';
import { AnswerSchedule } from './answer-schedule.ts';
import { readConfig } from './config.ts';
import { type GatewayDeps, startPartnerPort, startPhonePort } from './gateway.ts';
import { intakeMetrics } from './intake-metrics.ts';
import { startRpcServer } from '../lib/rpc/server.ts';
import { gatheredMesh, syntheticMesh } from './mesh.ts';
import { watchPartners } from './partners.ts';
import { syntheticRequests } from './synthetic-requests.ts';
import { certificateFiles } from './certificate-files.ts';

await runProcess('gateway', async ({ clock, log, telemetry, security, onStop, stopping }) => {
  const { settings, store: storeConfig } = readConfig(process.env);
  const files = certificateFiles(settings);
  const inside = watchCertificates(files.mesh.files, { settings: files.mesh.settings, log });
  onStop(() => inside.close());
  const outside = watchCertificates(files.outside.files, { settings: files.outside.settings, log });
  onStop(() => outside.close());
  const partners = watchPartners(settings.GATEWAY_PARTNERS_FILE, log);
  onStop(() => partners.close());
  const store = await openS3BlobStore(storeConfig);
  onStop(() => store.close());

  const call = { deadlineMs: settings.GATEWAY_MESH_DEADLINE_MS };
  const open = (serverName: 'submission' | 'verification' | 'test-result', address: string) => {
    const channel = openChannel({ address, serverName, certificates: inside, clock, metrics: telemetry.metrics });
    onStop(() => channel.close());
    return channel;
  };
  const submission = open('submission', settings.SUBMISSION_ADDRESS);
  const verification = open('verification', settings.VERIFICATION_ADDRESS);
  const testResult = open('test-result', settings.TEST_RESULT_ADDRESS);
  const schedule = new AnswerSchedule({
    clock,
    random: secureRandom,
    log,
    floorMs: settings.GATEWAY_ANSWER_FLOOR_MS,
  });
  telemetry.metrics.observe('cwa.gateway.answer.late', () => [{ attributes: {}, value: schedule.lateShare }]);
  const uploads = clientOf(submission, 'cwa.submission.v1.SubmissionService', SubmissionServiceService, call);
  const tests = clientOf(verification, 'cwa.verification.v1.RegistrationService', RegistrationServiceService, call);
  const probeSecret = settings.PROBE_REQUEST_SECRET_FILE?.reveal();
  const synthetic = probeSecret && {
    synthetic: { requests: syntheticRequests(probeSecret, clock), mesh: syntheticMesh(uploads, tests) },
  };
  const deps: GatewayDeps = {
    settings,
    clock,
    log,
    random: secureRandom,
    certificates: outside,
    partners,
    store,
    schedule,
    metrics: intakeMetrics(telemetry.metrics),
    mesh: gatheredMesh(uploads, tests, {
      clock,
      windowMs: settings.GATEWAY_GATHER_WINDOW_MS,
      maxItems: settings.GATEWAY_GATHER_ITEMS,
    }),
    ...synthetic,
    labMesh: clientOf(testResult, 'cwa.test_result.v1.LabResultService', LabResultServiceService, call),
  };

  const phones = await startPhonePort(deps);
  onStop(() => phones.close());
  const labs = await startPartnerPort(deps);
  onStop(() => labs.close());
  const management = await startManagement({
    host: settings.GATEWAY_MANAGEMENT_HOST,
    port: settings.GATEWAY_MANAGEMENT_PORT,
    setting: 'GATEWAY_MANAGEMENT_PORT',
    // Nothing behind the gateway: when a part of the mesh is down, the others are still served.
    checks: {},
    telemetry,
    stopping,
  });
  onStop(() => management.close());
  const server = await startRpcServer({
    process: 'gateway',
    host: settings.GATEWAY_MESH_HOST,
    port: settings.GATEWAY_MESH_PORT,
    portSetting: 'GATEWAY_MESH_PORT',
    certificates: inside,
    services: [],
    clock,
    log,
    telemetry,
    security,
  });
  onStop(() => server.close());
});
