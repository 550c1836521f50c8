import { createHash, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { Agent, request } from 'undici';
import { verifySignature } from '../../lib/exposure/signature.ts';
import { type Signer, type SignerNames, SigningError, signerIdentity } from './signer.ts';

/** Where a key of HashiCorp Vault's or OpenBao's transit engine is, and how to ask it. */
export interface TransitOptions {
  /** Settings are called `<prefix>_KEY` and so on; errors name them. */
  readonly prefix: string;
  /** Of the settings that both keys of a rotation share. */
  readonly sharedPrefix: string;
  readonly address: string;
  readonly mount: string;
  readonly namespace?: string | undefined;
  readonly key: string;
  readonly keyVersion: number;
  /** Read for every signature: an agent renews the token in place. */
  readonly tokenFile: string;
  /** PEM of the authority of the server's certificate; the platform's own ones when absent. */
  readonly ca?: string | undefined;
  /** What phones verify with; every signature is checked against it. */
  readonly publicKey: KeyObject;
  readonly timeoutMs: number;
  /** Waits before the second, third, … attempt; their number is the number of retries. */
  readonly pausesMs?: readonly number[];
}

const defaultPausesMs = [250, 1_000, 3_000];
const longestAnswer = 64 * 1024;

/**
 * Signs with a key that never leaves Vault or OpenBao: `POST /v1/<mount>/sign/<key>/sha2-256` with the SHA-256 of the
 * file. A signature that does not verify under the public key is never handed out. `sign` throws SigningError.
 */
export function transitSigner(options: TransitOptions, names: SignerNames): Signer {
  const { ca, timeoutMs, publicKey, pausesMs = defaultPausesMs } = options;
  const agent = new Agent({
    connect: { ...(ca === undefined ? {} : { ca }), minVersion: 'TLSv1.2', timeout: timeoutMs },
    maxResponseSize: longestAnswer,
    connections: 4,
  });
  return {
    ...signerIdentity(publicKey, names),
    async sign(bin) {
      const digest = createHash('sha256').update(bin).digest();
      for (let attempt = 0; ; attempt++) {
        try {
          const signature = signatureIn(options, await ask(options, agent, digest));
          if (verifySignature(publicKey, bin, signature)) return signature;
          throw fault(options, 'WRONG_KEY', 'PUBLIC_KEY_FILE', 'does not verify what the transit key signs');
        } catch (error) {
          const pause = pausesMs[attempt];
          if (!(error instanceof SigningError && error.mayPass) || pause === undefined) throw error;
          await delay(pause);
        }
      }
    },
  };
}

async function ask(options: TransitOptions, agent: Agent, digest: Buffer): Promise<{ status: number; text: string }> {
  const { address, mount, namespace, key, keyVersion, timeoutMs } = options;
  const path = [...mount.split('/'), 'sign', key, 'sha2-256'].map(encodeURIComponent).join('/');
  const token = readToken(options);
  try {
    const { statusCode, body } = await request(`${address.replace(/\/+$/, '')}/v1/${path}`, {
      method: 'POST',
      dispatcher: agent,
      signal: AbortSignal.timeout(timeoutMs),
      headers: {
        'content-type': 'application/json',
        'x-vault-request': 'true',
        'x-vault-token': token,
        ...(namespace === undefined ? {} : { 'x-vault-namespace': namespace }),
      },
      body: JSON.stringify({
        input: digest.toString('base64'),
        prehashed: true,
        marshaling_algorithm: 'asn1',
        key_version: keyVersion,
      }),
    });
    return { status: statusCode, text: await body.text() };
  } catch (error) {
    const { name, code = name } = error as { name: string; code?: string };
    if (code === 'TimeoutError' || name === 'TimeoutError' || /TIMEOUT/.test(code)) {
      throw fault(options, 'TIMEOUT', 'ADDRESS', `gave no answer within ${timeoutMs} ms`, { mayPass: true });
    }
    if (code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE') {
      throw fault(options, 'ANSWER_UNREADABLE', 'ADDRESS', 'answers with more than a signature');
    }
    throw fault(options, 'UNREACHABLE', 'ADDRESS', `cannot be reached (${code})`, { mayPass: true });
  }
}

function readToken(options: TransitOptions): string {
  let text: string;
  try {
    text = readFileSync(options.tokenFile, 'utf8').trim();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? 'error';
    throw fault(options, 'TOKEN_UNREADABLE', 'TOKEN_FILE', `the file it names cannot be read (${code})`, {
      mayPass: true,
    });
  }
  // Anything else could not stand in a header line, and the error for that would hold it.
  if (!/^[\x21-\x7e]+$/.test(text)) {
    throw fault(options, 'TOKEN_UNREADABLE', 'TOKEN_FILE', 'the file it names holds no token', { mayPass: true });
  }
  return text;
}

/** The DER signature in an answer. What the server says of an error is not repeated: it may hold what it was sent. */
function signatureIn(options: TransitOptions, { status, text }: { status: number; text: string }): Buffer {
  if (status === 403) throw fault(options, 'TOKEN_REFUSED', 'TOKEN_FILE', 'its token may not sign with this key (403)');
  if (status === 400) throw fault(options, 'KEY_REFUSED', 'KEY_VERSION', 'this key or version cannot sign (400)');
  if (status === 404) throw fault(options, 'KEY_NOT_FOUND', 'KEY', 'there is no such key or mount (404)');
  if (status >= 300 && status < 400)
    throw fault(options, 'REDIRECTED', 'ADDRESS', `redirects (${status}); name the active node`);
  if (status !== 200) {
    // 412: a replica behind; 429: limited; 472, 473: standby; 5xx: sealed, standby or broken.
    const mayPass = status >= 500 || [412, 429, 472, 473].includes(status);
    throw fault(options, 'UNAVAILABLE', 'ADDRESS', `answers with status ${status}`, { mayPass });
  }
  const found = /^vault:v(\d+):([A-Za-z0-9+/]+={0,2})$/.exec(signatureText(text));
  if (found === null) throw fault(options, 'ANSWER_UNREADABLE', 'ADDRESS', 'answers without a signature');
  if (Number(found[1]) !== options.keyVersion) {
    throw fault(options, 'WRONG_KEY', 'KEY_VERSION', `version ${found[1]} of the key signed instead`);
  }
  return Buffer.from(found[2] ?? '', 'base64');
}

function signatureText(text: string): string {
  try {
    const signature = (JSON.parse(text) as { data?: { signature?: unknown } } | null)?.data?.signature;
    return typeof signature === 'string' ? signature : '';
  } catch {
    return '';
  }
}

const ofOneKey = new Set(['KEY', 'KEY_VERSION', 'PUBLIC_KEY_FILE']);

function fault(
  { prefix, sharedPrefix }: TransitOptions,
  reason: string,
  setting: string,
  what: string,
  { mayPass = false } = {},
): SigningError {
  return new SigningError(reason, `${ofOneKey.has(setting) ? prefix : sharedPrefix}_${setting}`, what, mayPass);
}
