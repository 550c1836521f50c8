import { contentHash } from '../../../lib/exposure/content-hash.ts';
import { errorFields } from '../../../lib/telemetry/log.ts';
import { chooseConfiguration } from '../app-config/choose.ts';
import type { Deps } from '../deps.ts';
import { objectKeys, zip } from '../object-layout.ts';
import type { Publisher } from '../publisher.ts';
import { signArchive, signedBy } from '../signed-archive.ts';
import { tellSigned } from '../tell-published.ts';
import { publishIndex } from './publish-indexes.ts';
import { reportConfiguration } from './report-change.ts';
import { noteSigningFault } from './signing-fault.ts';

/**
 * Configuration for every generation of apps, and the empty statistics that apps of version 3 ask for (decision 32).
 * A fault here never holds up key packages: it is counted, and the archives of before stay (D 2.10).
 */
export async function publishArchives(d: Deps, publisher: Publisher, runNumber: number): Promise<void> {
  try {
    const country = d.rules.originCountry;
    const files = await chooseConfiguration(d, runNumber);
    await publishArchive(d, publisher, objectKeys.configurationV1(country), files.v1);
    await publishIndex(publisher, { objectKey: objectKeys.configurationCountries }, [country]);
    await publishArchive(d, publisher, objectKeys.configuration('v1', 'android'), files.androidV1);
    await publishArchive(d, publisher, objectKeys.configuration('v1', 'ios'), files.iosV1);
    await publishArchive(d, publisher, objectKeys.configuration('v2', 'android'), files.androidV2);
    await publishArchive(d, publisher, objectKeys.configuration('v2', 'ios'), files.iosV2);
    await reportConfiguration(d, runNumber);
  } catch (error) {
    if (!(error instanceof Error) || error.name !== 'ConfigurationFault') return noteSigningFault(d, publisher, error);
    publisher.fail();
    d.log.error('configuration-refused', errorFields(error));
  }
  try {
    await publishArchive(d, publisher, objectKeys.statistics, Buffer.alloc(0));
  } catch (error) {
    noteSigningFault(d, publisher, error);
  }
}

/** Unchanged content signed by the same keys keeps its object and its ETag: phones take a new one as a change (D 2.8). */
async function publishArchive(d: Deps, publisher: Publisher, objectKey: string, bin: Buffer): Promise<void> {
  if (publisher.isCurrent(objectKey, contentHash(bin), signedBy(d.signers))) return;
  const archive = await signArchive(bin, d.signers);
  tellSigned(d, 'archive-signed', { file: objectKey });
  await publisher.publish({
    objectKey,
    kind: 'archive',
    contentHash: archive.contentHash,
    signedBy: archive.signedBy,
    body: archive.zip,
    contentType: zip,
    immutable: false,
  });
}
