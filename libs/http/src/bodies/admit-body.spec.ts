import type { Request, Response } from 'express';
import { everybody, identities, type Identity } from '../access/identity';
import { Problem } from '../problem/problem';
import { admitBody } from './admit-body';
import { BytesInFlight } from './bytes-in-flight';

const unknown = new Problem(401, 'unauthenticated', '', '');

/** @returns the code of the problem, or `admitted` */
function outcome(headers: Request['headers'], identity: Identity | Problem = unknown): string {
  const request = { headers, socket: {} } as Request;
  const sent: Record<string, string> = {};
  const response = { setHeader: (name: string, value: string) => (sent[name] = value) } as unknown as Response;
  identities.set(request, identity);
  try {
    void admitBody(request, response, () => undefined);
    return 'admitted';
  } catch (error) {
    expect(sent).toEqual({ Connection: 'close' });
    return (error as Problem).code;
  }
}

it.each<[string, Request['headers'], string, string]>([
  ['no body', {}, 'admitted', 'admitted'],
  ['an empty body', { 'content-length': '0' }, 'admitted', 'admitted'],
  ['a body', { 'content-length': '1' }, 'unauthenticated', 'admitted'],
  ['a body in chunks', { 'transfer-encoding': 'chunked' }, 'unauthenticated', 'admitted'],
  ['gzip', { 'content-length': '1', 'content-encoding': 'gzip' }, 'unauthenticated', 'encoding_unsupported'],
  ['gzip in transfer', { 'transfer-encoding': 'gzip, chunked' }, 'unauthenticated', 'encoding_unsupported'],
  ['more than any route takes', { 'content-length': '99999999' }, 'unauthenticated', 'body_too_large'],
])('%s is admitted or refused by the headers alone', (_, headers, withoutKey, withKey) => {
  expect([outcome(headers), outcome(headers, everybody)]).toEqual([withoutKey, withKey]);
});

describe('bytes in flight', () => {
  const codeOf = (add: () => void): number => {
    try {
      add();
      return 200;
    } catch (error) {
      return (error as Problem).status;
    }
  };

  it('are limited per address and per process, and are freed when a request ends', () => {
    const inFlight = new BytesInFlight({ perProcess: 100, perAddress: 60 });
    inFlight.add('a', 60);
    expect(codeOf(() => inFlight.add('a', 1))).toBe(429);
    inFlight.add('b', 40);
    expect(codeOf(() => inFlight.add('c', 1))).toBe(503);
    inFlight.remove('a', 60);
    expect(codeOf(() => inFlight.add('c', 60))).toBe(200);
  });
});
