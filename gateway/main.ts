import { LabResultServiceService } from '../gen/mesh/cwa/test_result/v1/test_result.ts';
import { RegistrationServiceService } from '../gen/mesh/cwa/verification/v1/verification.ts';
import { SubmissionServiceService } from '../gen/mesh/cwa/submission/v1/submission.ts';
import { openS3BlobStore } from '../lib/blob/s3-blob-store.ts';
import { runProcess } from '../lib/process/run.ts';
import { secureRandom } from '../lib/random/random.ts';
import { clientOf } from '../lib/rpc/client.ts';
import { followCertificates, meshProcess } from '../lib/rpc/mesh-process.ts';
import { publicTlsSettings } from './certificate-files.ts';
import { readConfig } from './config.ts';
import { type GatewayDeps, startPartnerPort, startPhonePort } from './gateway.ts';
import { gatheredMesh, syntheticMesh } from './mesh.ts';
import { watchPartners } from './partners.ts';
import { syntheticRequests } from './synthetic-requests.ts';

await runProcess('gateway', async (context) => {
  const { clock, log, telemetry, security, onStop } = context;
  const { settings, store: storeConfig } = readConfig(process.env);
  const mesh = meshProcess('gateway', settings, context);
  const certificates = followCertificates('edge', publicTlsSettings(settings), settings, context);
  const partners = watchPartners(settings.GATEWAY_PARTNERS_FILE, log, security);
  onStop(() => partners.close());
  const store = await openS3BlobStore(storeConfig);
  onStop(() => store.close());
  mesh.dependsOn('object-store', () => store.head('version').then(() => true));

  const call = { deadlineMs: settings.GATEWAY_MESH_DEADLINE_MS };
  const submission = mesh.channel('submission', settings.SUBMISSION_ADDRESS);
  const verification = mesh.channel('verification', settings.VERIFICATION_ADDRESS);
  const testResult = mesh.channel('test-result', settings.TEST_RESULT_ADDRESS);
  const uploads = clientOf(submission, 'cwa.submission.v1.SubmissionService', SubmissionServiceService, call);
  const tests = clientOf(verification, 'cwa.verification.v1.RegistrationService', RegistrationServiceService, call);
  const probeSecret = settings.PROBE_REQUEST_SECRET_FILE?.reveal();
  const deps: GatewayDeps = {
    settings,
    clock,
    log,
    random: secureRandom,
    certificates,
    partners,
    store,
    metrics: telemetry.metrics,
    security,
    mesh: gatheredMesh(uploads, tests, {
      clock,
      windowMs: settings.GATEWAY_GATHER_WINDOW_MS,
      maxItems: settings.GATEWAY_GATHER_ITEMS,
    }),
    labMesh: clientOf(testResult, 'cwa.test_result.v1.LabResultService', LabResultServiceService, call),
    ...(probeSecret && {
      synthetic: { requests: syntheticRequests(probeSecret, clock), mesh: syntheticMesh(uploads, tests) },
    }),
  };

  const phones = await startPhonePort(deps);
  onStop(() => phones.close());
  const labs = await startPartnerPort(deps);
  onStop(() => labs.close());
  // Nothing behind the gateway: when a part of the mesh is down, the others are still served.
  await mesh.management({});
  await mesh.serve([], 'GATEWAY_MESH');
});
