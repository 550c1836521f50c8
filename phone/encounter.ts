import type { Random } from '../lib/random/random.ts';
import { AEM_OCTETS, RPI_OCTETS } from './crypto.ts';
import type { Sighting } from './sighting.ts';

/** The radio side of a phone. */
export interface Radio {
  /** dBm. */
  readonly transmitPower: number;
  /** Identifier and metadata sent at a time (P C-13). */
  advertisementAt(epochSeconds: number): Buffer;
  /** Feeds in what was received; there is no radio. */
  hear(sighting: Sighting): void;
}

export interface Contact {
  startSeconds: number;
  minutes: number;
  /** Loss between the two phones in dB, the same both ways. */
  attenuationDb: number;
  random: Pick<Random, 'int'>;
  /** Scans are 300 s apart minus a random 0 to this many seconds (P C-19); 0 makes them regular. */
  scanJitterSeconds?: number;
}

const SCAN_INTERVAL_SECONDS = 300;
const SCAN_JITTER_SECONDS = 89;
/** A scan lasts up to 4 s; packets at its start, in its middle and at its end stand for all it hears. */
const PACKETS_AT_SECONDS = [0, 1, 3];

/** Two phones near each other: each hears the other in its own scans (P C-18, C-19). */
export function meet(a: Radio, b: Radio, contact: Contact): void {
  listen(a, b, contact);
  listen(b, a, contact);
}

/**
 * Feeds `listener` what its scans hear of `sender`. The first scan lies within the contact, at most one scan
 * interval after its start: a contact shorter than the interval might else pass unnoticed by chance.
 */
function listen(listener: Radio, sender: Radio, contact: Contact): void {
  const { startSeconds, minutes, attenuationDb, random, scanJitterSeconds = SCAN_JITTER_SECONDS } = contact;
  const gap = (): number => SCAN_INTERVAL_SECONDS - (scanJitterSeconds > 0 ? random.int(scanJitterSeconds + 1) : 0);
  const end = startSeconds + minutes * 60;
  const firstWithin = Math.max(1, Math.min(SCAN_INTERVAL_SECONDS, Math.floor(minutes * 60)));
  let scan = startSeconds + (scanJitterSeconds > 0 ? random.int(firstWithin) : 0);
  let previous = scan - gap();
  while (scan < end) {
    for (const offset of PACKETS_AT_SECONDS) {
      const sent = sender.advertisementAt(scan + offset);
      listener.hear({
        rpi: sent.subarray(0, RPI_OCTETS),
        aem: sent.subarray(RPI_OCTETS, RPI_OCTETS + AEM_OCTETS),
        rssi: Math.max(-127, sender.transmitPower - attenuationDb),
        epochSeconds: scan + offset,
        previousScanEpochSeconds: previous,
      });
    }
    previous = scan;
    scan += gap();
  }
}
