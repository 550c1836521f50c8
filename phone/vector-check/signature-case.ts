import { decodeSignatureList } from '../../lib/exposure/key-export-reader.ts';
import { loadPublicKey, verifySignature } from '../../lib/exposure/signature.ts';
import { verifyAnySignature } from '../../lib/exposure/signature-list.ts';
import { fromHex, type JsonObject, unknownFields } from './vector-case.ts';

const FIELDS = ['publicKeySpkiBase64', 'messageHex', 'signatureDerHex', 'signatureListProtoHex'];

/** A message, its signature and perhaps its `export.sig`; an altered message must fail (P V-4, V-10). */
export function checkSignature(entry: JsonObject): string[] {
  const faults = unknownFields(entry, FIELDS);
  const key = loadPublicKey(String(entry['publicKeySpkiBase64']));
  const message = fromHex(entry['messageHex'], 'messageHex');
  const altered = Buffer.from(message.length === 0 ? [0] : message);
  altered[0] = (altered[0] ?? 0) ^ 1;
  if (entry['signatureDerHex'] === undefined && entry['signatureListProtoHex'] === undefined)
    faults.push('there is no signature');
  if (entry['signatureDerHex'] !== undefined) {
    const signature = fromHex(entry['signatureDerHex'], 'signatureDerHex');
    if (!verifySignature(key, message, signature)) faults.push('signatureDerHex does not verify');
    if (verifySignature(key, altered, signature)) faults.push('signatureDerHex verifies an altered message');
  }
  if (entry['signatureListProtoHex'] !== undefined) {
    const list = decodeSignatureList(fromHex(entry['signatureListProtoHex'], 'signatureListProtoHex'));
    if (!verifyAnySignature(message, list, [key])) faults.push('signatureListProtoHex does not verify');
    if (verifyAnySignature(altered, list, [key])) faults.push('signatureListProtoHex verifies an altered message');
    const listed = list.map(({ signature }) => Buffer.from(signature ?? []).toString('hex'));
    const der = entry['signatureDerHex'];
    if (typeof der === 'string' && !listed.includes(der.toLowerCase()))
      faults.push('signatureListProtoHex does not hold signatureDerHex');
  }
  return faults;
}
