import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ConfigError } from '../process/config.ts';
import { readBlobStoreConfig } from './config.ts';

const env = { S3_BUCKET: 'cwa', S3_ACCESS_KEY_ID: 'id', S3_SECRET_ACCESS_KEY: 'text' };

test('decision 4: the secret comes from a file or from the setting, and the file wins', () => {
  const folder = mkdtempSync(join(tmpdir(), 'cwa-blob-'));
  const file = join(folder, 'secret');
  writeFileSync(file, 'from a file\n');
  expect(readBlobStoreConfig(env).secretAccessKey.reveal()).toBe('text');
  expect(readBlobStoreConfig({ ...env, S3_SECRET_ACCESS_KEY_FILE: file }).secretAccessKey.reveal()).toBe('from a file');
  rmSync(folder, { recursive: true });
});

test('faults name their setting and never show a secret', () => {
  const read = (changes: Record<string, string | undefined>) => () => readBlobStoreConfig({ ...env, ...changes });
  expect(read({ S3_SECRET_ACCESS_KEY: undefined })).toThrow(/S3_SECRET_ACCESS_KEY_FILE is not set/);
  expect(read({ S3_ENDPOINT: 'somewhere' })).toThrow(/S3_ENDPOINT/);
  expect(read({ S3_BUCKET: '' })).toThrow(ConfigError);
});
