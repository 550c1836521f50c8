import { createPrivateKey, generateKeyPairSync, sign } from 'node:crypto';
import { expect, test } from 'vitest';
import { SIGNATURE_ALGORITHM, type SignatureEntry } from './key-export.ts';
import { loadPublicKey, signDeterministic, verifySignature } from './signature.ts';
import { trustedKeys, verifyAnySignature, verifySignatureList } from './signature-list.ts';

const bin = Buffer.from('EK Export v1    and then a message');

function aPair(): { pem: string; spki: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return {
    pem: privateKey.export({ type: 'sec1', format: 'pem' }).toString(),
    spki: publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
  };
}
const [a, b, stranger] = [aPair(), aPair(), aPair()];
function entry(pair: { pem: string }, name?: string, extra: SignatureEntry = {}): SignatureEntry {
  const [id, version] = name?.split('-') ?? [];
  return {
    signatureInfo: {
      signatureAlgorithm: SIGNATURE_ALGORITHM,
      ...(id === undefined ? {} : { verificationKeyId: id }),
      ...(version === undefined ? {} : { verificationKeyVersion: version }),
    },
    batchNum: 1,
    batchSize: 1,
    signature: signDeterministic(pair.pem, bin),
    ...extra,
  };
}

test('RFC 6979 A.2.5: P-256, SHA-256, messages "sample" and "test"', () => {
  const key = createPrivateKey({
    format: 'jwk',
    key: {
      kty: 'EC',
      crv: 'P-256',
      d: Buffer.from('C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721', 'hex').toString('base64url'),
      x: Buffer.from('60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6', 'hex').toString('base64url'),
      y: Buffer.from('7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299', 'hex').toString('base64url'),
    },
  });
  expect(signDeterministic(key, Buffer.from('sample')).toString('hex')).toBe(
    '3046022100efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716022100f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8',
  );
  expect(signDeterministic(key, Buffer.from('test')).toString('hex')).toBe(
    '3045022100f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d383670220019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083',
  );
});

test('equal bytes and key give an equal signature, and node accepts it; SEC1 and PKCS#8 PEM are read', () => {
  const first = signDeterministic(a.pem, bin);
  expect(signDeterministic(a.pem, bin).equals(first)).toBe(true);
  const pkcs8 = createPrivateKey(a.pem).export({ type: 'pkcs8', format: 'pem' }).toString();
  expect(signDeterministic(pkcs8, bin).equals(first)).toBe(true);
  expect(verifySignature(a.spki, bin, first)).toBe(true);
  expect(verifySignature(a.spki, bin, sign('sha256', bin, a.pem))).toBe(true);
});

test('signature primitives: altered message, other key, cut or padded DER fail without throwing', () => {
  const der = signDeterministic(a.pem, bin);
  const flipped = Buffer.from(bin);
  flipped[20] = (flipped[20] as number) ^ 1;
  expect(verifySignature(a.spki, flipped, der)).toBe(false);
  expect(verifySignature(b.spki, bin, der)).toBe(false);
  expect(verifySignature(a.spki, bin, der.subarray(0, -1))).toBe(false);
  expect(verifySignature(a.spki, bin, Buffer.concat([der, Buffer.alloc(9)]))).toBe(false);
  expect(verifySignature(a.spki, bin, Buffer.alloc(0))).toBe(false);
});

test('a public key is read as PEM and as bare base64; everything else is a typed error', () => {
  const pem = loadPublicKey(a.spki).export({ type: 'spki', format: 'pem' }).toString();
  expect(loadPublicKey(`${pem}\n`).equals(loadPublicKey(a.spki))).toBe(true);
  const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' })
    .publicKey.export({ type: 'spki', format: 'pem' })
    .toString();
  expect(() => loadPublicKey(p384)).toThrow(expect.objectContaining({ reason: 'KEY_CURVE' }));
  for (const text of [
    '',
    'hello world',
    'AAAA',
    a.spki.slice(4),
    '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----',
  ]) {
    expect(() => loadPublicKey(text)).toThrow(expect.objectContaining({ reason: 'PUBLIC_KEY_UNREADABLE' }));
  }
  expect(() => signDeterministic('nonsense', bin)).toThrow(
    expect.objectContaining({ reason: 'PRIVATE_KEY_UNREADABLE' }),
  );
});

test('V-5: keys are selected by <id>-<version>; signatures of unknown keys are ignored (V-6)', () => {
  const trusted = trustedKeys({ '262-v1': a.spki });
  expect(verifySignatureList(bin, [entry(stranger, '310-v1'), entry(a, '262-v1')], trusted)).toEqual({
    ok: true,
    keyNames: ['262-v1'],
  });
  expect(verifySignatureList(bin, [entry(stranger, '310-v1')], trusted)).toEqual({ ok: false, reason: 'UNKNOWN_KEYS' });
  expect(verifySignatureList(bin, [entry(stranger, '262-v1')], trusted)).toEqual({
    ok: false,
    reason: 'INVALID_SIGNATURE',
  });
  expect(verifySignatureList(bin, [entry(a, '262-v2')], trusted)).toEqual({ ok: false, reason: 'UNKNOWN_KEYS' });
});

test('V-5: a single signature without key id falls to the single configured key; among several it is an error', () => {
  const trusted = trustedKeys({ '262-v1': a.spki });
  expect(verifySignatureList(bin, [entry(a)], trusted)).toMatchObject({ ok: true });
  expect(verifySignatureList(bin, [entry(a), entry(a, '262-v1')], trusted)).toEqual({
    ok: false,
    reason: 'KEY_ID_MISSING',
  });
  expect(verifySignatureList(bin, [entry(a)], trustedKeys({ '262-v1': a.spki, '262-v2': b.spki }))).toEqual({
    ok: false,
    reason: 'KEY_ID_MISSING',
  });
});

test('V-6: a set of co-signing keys needs all members; alternative sets are a rotation; no signature is an error', () => {
  const keys = { '262-v1': a.spki, '262-v2': b.spki };
  const cosigned = trustedKeys(keys, [['262-v1', '262-v2']]);
  expect(verifySignatureList(bin, [entry(a, '262-v1')], cosigned)).toEqual({ ok: false, reason: 'INVALID_SIGNATURE' });
  expect(verifySignatureList(bin, [entry(a, '262-v1'), entry(b, '262-v2')], cosigned)).toMatchObject({ ok: true });
  const rotating = trustedKeys(keys);
  expect(verifySignatureList(bin, [entry(b, '262-v2')], rotating)).toEqual({ ok: true, keyNames: ['262-v2'] });
  expect(verifySignatureList(bin, [], rotating)).toEqual({ ok: false, reason: 'NO_SIGNATURE' });
});

test('V-4: another algorithm, SHA-512 included, or none is refused', () => {
  const trusted = trustedKeys({ '262-v1': a.spki });
  for (const signatureAlgorithm of ['1.2.840.10045.4.3.4', '']) {
    const info = { verificationKeyId: '262', verificationKeyVersion: 'v1', signatureAlgorithm };
    expect(verifySignatureList(bin, [entry(a, '262-v1', { signatureInfo: info })], trusted)).toEqual({
      ok: false,
      reason: 'ALGORITHM',
    });
  }
});

test('V-10: any configured key over any listed signature', () => {
  const keys = [loadPublicKey(b.spki), loadPublicKey(a.spki)];
  expect(verifyAnySignature(bin, [entry(stranger, '262-v1'), entry(a, 'x-y')], keys)).toBe(true);
  expect(verifyAnySignature(bin, [entry(stranger, '262-v1')], keys)).toBe(false);
  expect(verifyAnySignature(bin, [{}], keys)).toBe(false);
});
