import { FormatError } from '../../lib/exposure/format-error.ts';
import { openArchive } from '../../lib/exposure/export-archive.ts';
import { decodeSignatureList } from '../../lib/exposure/key-export-reader.ts';
import { type TrustedKeys, verifyAnySignature } from '../../lib/exposure/signature-list.ts';
import type { Http } from '../../phone/http.ts';
import { openKeyPackage, PackageError } from '../../phone/package-check.ts';
import { configurationKeys } from '../config/readable.ts';

export interface PublishedFile {
  readonly path: string;
  readonly etag: string;
  readonly zip: Buffer;
}

const root = '/version/v1/diagnosis-keys/country';

/** Every archive that is not a key package: configuration of all generations, and statistics. */
export const archivePaths = (country: string): string[] =>
  [...configurationKeys(country), 'version/v1/stats'].map((key) => `/${key}`);

/** Every key package that an index leads to, in all regions: days, and the hours of the given days. */
export async function keyPackages(http: Http, days: readonly string[]): Promise<PublishedFile[]> {
  const files: PublishedFile[] = [];
  for (const region of await index<string>(http, root)) {
    const paths = (await index<string>(http, `${root}/${region}/date`)).map((day) => `${root}/${region}/date/${day}`);
    for (const day of days) {
      const hours = `${root}/${region}/date/${day}/hour`;
      for (const hour of await index<number>(http, hours)) paths.push(`${hours}/${hour}`);
    }
    for (const path of paths) files.push(await fetchFile(http, path));
  }
  return files;
}

export async function fetchFile(http: Http, path: string): Promise<PublishedFile> {
  const { status, headers, body } = await http({ method: 'GET', path, headers: {} });
  if (status !== 200) throw new Error(`${path} is published and answers with status ${status}`);
  return { path, etag: headers['etag'] ?? '', zip: body };
}

/** Number of keys that a phone trusting these signing keys reads, by its own code; undefined when it refuses. */
export async function readPackage(zip: Buffer, trusted: TrustedKeys): Promise<number | undefined> {
  try {
    return (await openKeyPackage(zip, trusted)).keys.length;
  } catch (error) {
    if (error instanceof PackageError || error instanceof FormatError) return undefined;
    throw error;
  }
}

/** Whether an app that trusts these keys takes an archive without header, by the rule of configurations (P V-10). */
export async function takesArchive(zip: Buffer, trusted: TrustedKeys): Promise<boolean> {
  const { bin, sig } = await openArchive(zip);
  return verifyAnySignature(bin, decodeSignatureList(sig), trusted.keys.values());
}

/** An index that does not exist yet lists nothing, as for phones. */
async function index<T>(http: Http, path: string): Promise<T[]> {
  const { status, body } = await http({ method: 'GET', path, headers: {} });
  if (status === 404) return [];
  if (status !== 200) throw new Error(`${path} answers with status ${status}`);
  return JSON.parse(body.toString('utf8')) as T[];
}
