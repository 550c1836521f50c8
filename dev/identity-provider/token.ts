import { Agent, request } from 'undici';

export interface TokenOptions {
  readonly issuer: string;
  /** PEM of the authority of the issuer's certificate. */
  readonly ca: string;
  readonly client: string;
  readonly secret: string;
}

export interface TokenAnswer {
  readonly access_token: string;
  readonly token_type: string;
  /** Seconds. */
  readonly expires_in: number;
}

/** Asks for an access token as a confidential client does; throws a sentence when there is none. */
export async function fetchToken({ issuer, ca, client, secret }: TokenOptions): Promise<TokenAnswer> {
  const dispatcher = new Agent({ connect: { ca } });
  try {
    const { statusCode, body } = await request(`${issuer}/token`, {
      method: 'POST',
      dispatcher,
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        authorization: `Basic ${Buffer.from(`${client}:${secret}`).toString('base64')}`,
      },
      body: 'grant_type=client_credentials',
    }).catch((error: NodeJS.ErrnoException) => {
      throw new Error(`${issuer} does not answer (${error.code ?? error.name}): is the system running?`);
    });
    const answer = (await body.json()) as TokenAnswer & { error?: string };
    if (statusCode !== 200) throw new Error(`${issuer} gives ${client} no token: ${answer.error ?? statusCode}`);
    return answer;
  } finally {
    await dispatcher.close();
  }
}
