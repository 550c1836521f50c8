import { get } from 'node:https';

const answerLimitMs = 5_000;
const maxBytes = 262_144;

/** Fetches a document of the identity provider, trusting `ca` (default: the system's authorities). Follows no redirect. */
export function httpsGet(url: string, ca: string | undefined): Promise<Response> {
  return new Promise((resolve, reject) => {
    const request = get(url, { ...(ca === undefined ? {} : { ca }), signal: AbortSignal.timeout(answerLimitMs) });
    request.once('error', reject);
    request.once('response', (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > maxBytes) request.destroy(new Error('the document is too large'));
        else chunks.push(chunk);
      });
      response.once('error', reject);
      response.once('end', () => resolve(new Response(Buffer.concat(chunks), { status: response.statusCode ?? 500 })));
    });
  });
}
