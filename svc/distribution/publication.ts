import type { BlobStore } from '../../lib/blob/blob.ts';
import type { SpanAttributes } from '../../lib/telemetry/attributes.ts';
import { inSpan } from '../../lib/telemetry/tracing.ts';
import { changing, immutable } from './object-layout.ts';
import { dateOf } from './object-window.ts';
import type { PublishedObject } from './store/inventory.ts';

/** An object to be published. `immutable` ones are written once and never again. */
export interface Publication extends Omit<PublishedObject, 'etag' | 'size'> {
  readonly body: Uint8Array;
  readonly contentType: string;
  readonly immutable: boolean;
}

/** Writes the object; resolves to 'exists' when it is immutable and stands in the store already. */
export function putObject(blob: BlobStore, publication: Publication): Promise<{ etag: string } | 'exists'> {
  const { objectKey, body, contentType } = publication;
  const attributes = { 'cwa.store.operation': 'put', 'cwa.bytes': body.length, ...placeOf(publication) };
  return inSpan('put object', { kind: 'client', attributes }, async (span) => {
    const answer = await blob.put(objectKey, body, {
      contentType,
      cacheControl: publication.immutable ? immutable : changing,
      metadata: { 'cwa-hash': publication.contentHash },
      onlyIfAbsent: publication.immutable,
    });
    span.set({ 'cwa.outcome': answer === 'exists' ? 'exists' : 'done' });
    return answer;
  });
}

export function headObject(blob: BlobStore, publication: Publication): ReturnType<BlobStore['head']> {
  const attributes = { 'cwa.store.operation': 'head', ...placeOf(publication) };
  return inSpan('head object', { kind: 'client', attributes }, () => blob.head(publication.objectKey));
}

export function deleteObjects(blob: BlobStore, objectKeys: readonly string[]): Promise<void> {
  const attributes = { 'cwa.store.operation': 'delete', 'cwa.count': objectKeys.length };
  return inSpan('delete objects', { kind: 'client', attributes }, () => blob.delete(objectKeys));
}

/** What may be said of an object beside its name: region and window of a key package, date and hour. */
export function placeOf(object: Pick<PublishedObject, 'kind' | 'region' | 'day' | 'hour'>): SpanAttributes {
  const { kind, region } = object;
  const { date, hour } = dateOf(object);
  return {
    ...(region === undefined ? {} : { 'cwa.region': region }),
    ...(kind === 'hour' || kind === 'day' ? { 'cwa.window': kind } : {}),
    ...(date === undefined ? {} : { 'cwa.date': date }),
    ...(hour === undefined ? {} : { 'cwa.hour': hour }),
  };
}
