import { createHmac } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { isSignedWith, newSecret, signedHeaders } from './signature';

const body = JSON.stringify({ type: 'job.finished', timestamp: '2026-01-01T00:00:00.000Z', data: { ü: '你好' } });
const message = () => ({ id: 'msg', at: new Date(), body });

describe('a webhook signature', () => {
  it('is valid for the official library with its secret, and with no other', () => {
    const [secret, other] = [newSecret(), newSecret()];
    const headers = signedHeaders(message(), [secret]);
    expect(new Webhook(secret).verify(body, headers)).toEqual(JSON.parse(body));
    expect(() => new Webhook(other).verify(body, headers)).toThrow('No matching signature found');
    expect(() => new Webhook(secret).verify(`${body} `, headers)).toThrow('No matching signature found');
    expect(() => new Webhook(secret).verify(body, { ...headers, 'webhook-id': 'another' })).toThrow('No matching');
  });

  it('is valid with either of two secrets', () => {
    const secrets = [newSecret(), newSecret()];
    const headers = signedHeaders(message(), secrets);
    for (const secret of secrets) expect(new Webhook(secret).verify(body, headers)).toEqual(JSON.parse(body));
  });

  it('is the HMAC-SHA256 of id, time and body that the specification describes', () => {
    const secret = newSecret();
    const { id, at } = message();
    const signed = `${id}.${Math.floor(at.getTime() / 1_000)}.${body}`;
    const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
    expect(signedHeaders({ id, at, body }, [secret])['webhook-signature']).toBe(
      `v1,${createHmac('sha256', key).update(signed).digest('base64')}`,
    );
  });

  it('is accepted from the official library, and refused for other bytes, another secret or another time, or if missing', () => {
    const [secret, other] = [newSecret(), newSecret()];
    const headers = (at = new Date()) => ({
      'webhook-id': 'msg',
      'webhook-timestamp': String(Math.floor(at.getTime() / 1_000)),
      'webhook-signature': `v1a,other ${new Webhook(secret).sign('msg', at, body)}`,
    });
    expect(isSignedWith([other, secret], headers(), body)).toBe(true);
    expect(isSignedWith([other], headers(), body)).toBe(false);
    expect(isSignedWith([secret], headers(), `${body} `)).toBe(false);
    expect(isSignedWith([secret], { ...headers(), 'webhook-id': 'another' }, body)).toBe(false);
    expect(isSignedWith([secret], headers(new Date(Date.now() - 600_000)), body)).toBe(false);
    expect(isSignedWith([secret], { ...headers(), 'webhook-timestamp': 'now' }, body)).toBe(false);
    expect(isSignedWith([secret], {}, body)).toBe(false);
  });

  it('has a secret of 32 random bytes', () => {
    expect(Buffer.from(newSecret().slice('whsec_'.length), 'base64')).toHaveLength(32);
    expect(newSecret()).not.toBe(newSecret());
  });
});
