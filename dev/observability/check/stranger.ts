import { join } from 'node:path';
import { SubmissionServiceService } from '../../../gen/mesh/cwa/submission/v1/submission.ts';
import { watchCertificates } from '../../../lib/rpc/certificates.ts';
import { clientOf, openChannel } from '../../../lib/rpc/client.ts';
import { systemClock } from '../../../lib/time/clock.ts';
import type { Mesh } from '../../mesh/mesh.ts';

/** The scheduler asks submission, which it may not: refused, and told as a security event. */
export async function callAsStranger(mesh: Mesh): Promise<void> {
  const file = (name: string) => join(mesh.home, 'pki', name);
  const certificates = watchCertificates({
    certFile: file('scheduler.crt'),
    keyFile: file('scheduler.key'),
    caFile: file('ca.crt'),
  });
  const port = mesh.processes.get('submission')?.options.env['SUBMISSION_PORT'];
  const channel = openChannel({
    address: `127.0.0.1:${port}`,
    serverName: 'submission',
    certificates,
    clock: systemClock,
  });
  const service = 'cwa.submission.v1.SubmissionService';
  const client = clientOf(channel, service, SubmissionServiceService, { deadlineMs: 5_000 });
  await client.submitKeys({ uploads: [] }).then(
    () => {
      throw new Error('submission answered a caller that the matrix does not name');
    },
    () => {},
  );
  channel.close();
  certificates.close();
}
