import type { KeyObject } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { openArchive } from '../../lib/exposure/export-archive.ts';
import { KEY_EXPORT_HEADER } from '../../lib/exposure/key-export.ts';
import { type DecodedKeyExport, decodeKeyExport, decodeSignatureList } from '../../lib/exposure/key-export-reader.ts';
import { loadPublicKey, verifySignature } from '../../lib/exposure/signature.ts';
import { type Analysis, analyse } from '../analysis/analyse.ts';
import type { AnalysedFile } from '../analysis/key-table.ts';
import { analysisText } from './analysis-text.ts';
import { readInput } from './input.ts';

interface InspectOptions {
  readonly json?: boolean;
  readonly all?: boolean;
  readonly analyse?: boolean;
  readonly truth?: string;
}

/** `cwa export inspect` and `cwa export verify` on any GAEN key export (decision 5). */
export function addExportCommands(program: Command): void {
  const group = program.command('export').description('look into key exports and check their signatures');
  group
    .command('inspect')
    .description('print window, region, signature infos and keys of key exports, and what an observer learns from them')
    .argument('<file...>', 'signed zips, or bare export.bin files')
    .option('--json', 'print everything as one JSON object')
    .option('--all', 'list every key instead of the first ten')
    .option('--analyse', 'counts, sizes, padding suspicion and linkability over all files together')
    .option(
      '--truth <users>',
      'analyse, and compare with this number of users, or that of a JSON file with {"users":n}',
    )
    .action(async (files: string[], options: InspectOptions) => {
      const read = await Promise.all(files.map((file) => readInput(file, analysedFile)));
      const users = trueUsers(options.truth);
      const analysis = options.analyse || users !== undefined ? analyse(read, users) : undefined;
      process.stdout.write(
        options.json ? `${JSON.stringify(record(read, analysis), null, 2)}\n` : text(read, options, analysis),
      );
    });
  group
    .command('verify')
    .description('check the signature over export.bin; exit status 0 valid, 1 invalid, 2 unreadable')
    .argument('<file>', 'a signed zip (key package or configuration)')
    .requiredOption('--key <key>', 'public key: an SPKI PEM file, or the base64 of the SPKI itself')
    .option('--json', 'print one JSON object')
    .action(async (file: string, options: { key: string; json?: boolean }) => {
      const key = existsSync(options.key)
        ? await readInput(options.key, async (bytes) => loadPublicKey(bytes.toString('utf8')))
        : publicKeyIn(options.key);
      const { valid, signatures } = await readInput(file, async (bytes) => {
        const { bin, sig } = await openArchive(bytes);
        const list = decodeSignatureList(sig);
        return {
          signatures: list.length,
          valid: list.some(({ signature }) => signature !== undefined && verifySignature(key, bin, signature)),
        };
      });
      const text = valid ? 'valid' : `invalid: none of ${signatures} signatures verifies under this key`;
      process.stdout.write(options.json ? `${JSON.stringify({ valid, signatures })}\n` : `${file}: ${text}\n`);
      process.exitCode = valid ? 0 : 1;
    });
}

/** A name that was mistyped looks like base64 too. */
function publicKeyIn(text: string): KeyObject {
  try {
    return loadPublicKey(text);
  } catch (error) {
    throw new Error(`--key: neither a file that exists nor the base64 of a P-256 SPKI`, { cause: error });
  }
}

/** The `export.bin` of an archive, or the file itself when it already is one. */
export async function exportBin(bytes: Buffer): Promise<Buffer> {
  if (bytes.subarray(0, KEY_EXPORT_HEADER.length).equals(KEY_EXPORT_HEADER)) return bytes;
  return (await openArchive(bytes)).bin;
}

async function analysedFile(bytes: Buffer): Promise<AnalysedFile> {
  const bin = await exportBin(bytes);
  const zipped = bin === bytes ? {} : { zippedBytes: bytes.length };
  return { content: decodeKeyExport(bin), rawBytes: bin.length, ...zipped };
}

/** The form of decision 5 for one file; several stand in a list. The analysis is added only when it was asked for. */
function record(files: readonly AnalysedFile[], analysis: Analysis | undefined) {
  const [first] = files;
  const shown =
    files.length === 1 && first ? asRecord(first.content) : { files: files.map(({ content }) => asRecord(content)) };
  return analysis === undefined ? shown : { ...shown, analysis };
}

function text(files: readonly AnalysedFile[], { all = false }: InspectOptions, analysis: Analysis | undefined): string {
  const shown = files.map(({ content }) => asText(content, all)).join('\n');
  return analysis === undefined ? shown : `${shown}\n${analysisText(analysis)}`;
}

function trueUsers(truth: string | undefined): number | undefined {
  if (truth === undefined) return undefined;
  const given: unknown = /^\d+$/.test(truth) ? Number(truth) : simulated(truth);
  if (typeof given === 'number' && Number.isInteger(given) && given > 0) return given;
  throw new Error('--truth: must be a number of users above 0, or a JSON file with one under "users"');
}

function simulated(file: string): unknown {
  try {
    return (JSON.parse(readFileSync(file, 'utf8')) as { users?: unknown } | null)?.users;
  } catch {
    return undefined;
  }
}

function asRecord(file: DecodedKeyExport) {
  return {
    start: file.start ?? null,
    end: file.end ?? null,
    region: file.region ?? null,
    batchNum: file.batchNum ?? null,
    batchSize: file.batchSize ?? null,
    signatureInfos: file.signatureInfos.map((info) => ({
      appBundleId: info.appBundleId ?? null,
      androidPackage: info.androidPackage ?? null,
      verificationKeyVersion: info.verificationKeyVersion ?? null,
      verificationKeyId: info.verificationKeyId ?? null,
      signatureAlgorithm: info.signatureAlgorithm ?? null,
    })),
    keyCount: file.keys.length,
    keys: file.keys.map((key) => ({
      keyData: key.keyData?.toString('hex') ?? null,
      transmissionRiskLevel: key.transmissionRiskLevel ?? null,
      rollingStartIntervalNumber: key.rollingStartIntervalNumber ?? null,
      rollingPeriod: key.rollingPeriod ?? null,
      reportType: key.reportType ?? null,
      daysSinceOnsetOfSymptoms: key.daysSinceOnsetOfSymptoms ?? null,
    })),
  };
}

function asText(file: DecodedKeyExport, all: boolean): string {
  const time = (seconds: number | undefined) =>
    seconds === undefined ? 'absent' : new Date(seconds * 1000).toISOString();
  const shown = all ? file.keys : file.keys.slice(0, 10);
  const infos = file.signatureInfos.map(
    (info) =>
      `signature   key id ${info.verificationKeyId ?? 'absent'}, version ${info.verificationKeyVersion ?? 'absent'}, algorithm ${info.signatureAlgorithm ?? 'absent'}`,
  );
  const columns = 'key data                          level    start  period  report type  onset';
  const keys = shown.map((key) =>
    [
      (key.keyData?.toString('hex') ?? '-').padEnd(32),
      String(key.transmissionRiskLevel ?? '-').padStart(6),
      String(key.rollingStartIntervalNumber ?? '-').padStart(8),
      String(key.rollingPeriod ?? '-').padStart(7),
      String(key.reportType ?? '-').padStart(12),
      String(key.daysSinceOnsetOfSymptoms ?? '-').padStart(6),
    ].join(' '),
  );
  const hidden = file.keys.length - shown.length;
  return [
    `window      ${time(file.start)} to ${time(file.end)}`,
    `region      ${file.region ?? 'absent'}, batch ${file.batchNum ?? '-'} of ${file.batchSize ?? '-'}`,
    ...infos,
    `keys        ${file.keys.length}`,
    ...(keys.length > 0 ? [columns, ...keys] : []),
    ...(hidden > 0 ? [`… ${hidden} more; show them with --all or --json`] : []),
    '',
  ].join('\n');
}
