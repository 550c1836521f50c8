/** The four octets beside an identifier, before encryption (P 1.3). */
export interface Metadata {
  majorVersion: number;
  minorVersion: number;
  /** 0 lowest to 3 high. */
  calibrationConfidence: number;
  /** dBm, signed. */
  transmitPower: number;
}

/** Metadata as sent by version 1.1: octets 2 and 3 are reserved and zero. */
export function encodeMetadata(metadata: {
  transmitPower: number;
  calibrationConfidence?: number;
  minorVersion?: number;
}): Buffer {
  const octets = Buffer.alloc(4);
  octets[0] = 0x40 | ((metadata.minorVersion ?? 1) << 4) | ((metadata.calibrationConfidence ?? 0) << 2);
  octets.writeInt8(metadata.transmitPower, 1);
  return octets;
}

/** Reads decrypted metadata; confidence counts whatever the minor version says (P C-17). */
export function decodeMetadata(octets: Buffer): Metadata {
  const first = octets.readUInt8(0);
  return {
    majorVersion: first >> 6,
    minorVersion: (first >> 4) & 3,
    calibrationConfidence: (first >> 2) & 3,
    transmitPower: octets.readInt8(1),
  };
}

/** Loss between sender and receiver in whole dB, never negative (P M-8). */
export function attenuation(transmitPower: number, rssi: number): number {
  return Math.max(0, transmitPower - rssi);
}
