import { isHttp2, type RawRequest, type RawResponse } from './raw-http.ts';

/** `too-large`: the rest is read and thrown away. `cut`: the caller went, or was cut because it was too slow. */
export type BodyRead = Buffer | 'too-large' | 'cut';

/** Octets of bodies that are in memory now, of all requests of the process. */
export interface BodyBudget {
  held: number;
}

/** Reads a body of at most `limit` octets, counted as they come, whatever a length header says (S row 11). */
export function readBody(
  request: RawRequest,
  response: RawResponse,
  limit: number,
  timeoutMs: number,
  budget: BodyBudget = { held: 0 },
): Promise<BodyRead> {
  return new Promise((resolve) => {
    let chunks: Buffer[] | undefined = [];
    let size = 0;
    const settle = (result: BodyRead): void => {
      if (chunks === undefined) return;
      chunks = undefined;
      budget.held -= size;
      resolve(result);
    };
    const timer = setTimeout(() => {
      settle('cut');
      cut(request, response);
    }, timeoutMs);
    const announced = Number(request.headers['content-length'] ?? 0);
    if (announced > limit) settle('too-large');
    request.on('data', (chunk: Buffer) => {
      if (chunks === undefined) return;
      size += chunk.length;
      budget.held += chunk.length;
      if (size > limit) settle('too-large');
      else chunks.push(chunk);
    });
    request.on('end', () => {
      clearTimeout(timer);
      if (chunks !== undefined) settle(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks));
    });
    const gone = (): void => {
      clearTimeout(timer);
      settle('cut');
    };
    request.on('close', gone);
    request.on('aborted', gone);
    request.on('error', gone);
  });
}

function cut(request: RawRequest, response: RawResponse): void {
  if (isHttp2(response))
    response.stream?.close(8); // CANCEL
  else request.socket.destroy();
}
