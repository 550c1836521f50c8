import type { NoAnswer, WireAnswer, WireRequest } from '../wire/exchange.ts';
import { marker, type Verdict } from './target.ts';

/** Statuses of gRPC that are the server's fault: unknown, internal, data loss. */
const serverFaults = new Set(['2', '13', '15']);

/** Throws when an answer is none that may ever be given; else answers what it was. */
export function judge(request: WireRequest, answer: WireAnswer | NoAnswer): Verdict {
  if (answer === 'silent') throw new Error('no answer in time');
  if (answer === 'closed') return 'closed';
  const { status, headers, head, body } = answer;
  const text = body.toString('latin1');
  if (`${head}${text}`.includes(marker)) throw new Error('the answer repeats the input');
  if (status === 503) {
    // The documented answer of a gateway that has too much in hand (decision 16).
    if (headers['retry-after'] !== '60' || body.length > 0) throw new Error('503 without its form');
    return '503';
  }
  if (status >= 500 || Number.isNaN(status)) throw new Error(`answered ${status}`);
  const rpc = /grpc-status: *(\d+)/i.exec(text)?.[1];
  if (rpc !== undefined && serverFaults.has(rpc)) throw new Error(`answered gRPC status ${rpc}`);
  if (request.method !== 'GET' && /(^|\s)at .*\.ts:\d/.test(text)) throw new Error('a stack in the answer');
  return rpc === undefined ? String(status) : `${status}/${rpc}`;
}
