import { createHash, createHmac } from 'node:crypto';
import type { Secret } from '../../lib/process/secret.ts';

/** How registration tokens, TANs and registered hashes are stored: SHA-256 of the text (S 2.8). */
export const storedHash = (text: string): Buffer => createHash('sha256').update(text, 'utf8').digest();

/** How teleTANs are stored: too short for a plain hash, so keyed with a pepper that the database does not hold (S 2.8 [D]). */
export const teleTanHash = (pepper: Secret, teleTan: string): Buffer =>
  createHmac('sha256', pepper.reveal()).update(teleTan, 'utf8').digest();
