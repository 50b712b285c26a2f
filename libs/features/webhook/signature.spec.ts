import { Webhook } from 'standardwebhooks';
import { isSignedWith, newSecret, signedHeaders } from './signature';

const body = JSON.stringify({ type: 'job.finished', timestamp: '2026-01-01T00:00:00.000Z', data: { ü: '你好' } });
const message = () => ({ id: 'msg', at: new Date(), body });

describe('signatures, as the library of Standard Webhooks checks them', () => {
  it('verify with the secret, and with no other', () => {
    const [secret, other] = [newSecret(), newSecret()];
    const headers = signedHeaders(message(), [secret]);
    expect(new Webhook(secret).verify(body, headers)).toEqual(JSON.parse(body));
    expect(() => new Webhook(other).verify(body, headers)).toThrow('No matching signature found');
    expect(() => new Webhook(secret).verify(`${body} `, headers)).toThrow('No matching signature found');
    expect(() => new Webhook(secret).verify(body, { ...headers, 'webhook-id': 'another' })).toThrow('No matching');
  });

  it('verify with either of two secrets', () => {
    const secrets = [newSecret(), newSecret()];
    const headers = signedHeaders(message(), secrets);
    for (const secret of secrets) expect(new Webhook(secret).verify(body, headers)).toEqual(JSON.parse(body));
  });

  it('are those of the library', () => {
    const secret = newSecret();
    const { id, at } = message();
    expect(signedHeaders({ id, at, body }, [secret])['webhook-signature']).toBe(new Webhook(secret).sign(id, at, body));
  });

  it('of the library are taken, and no others: of other bytes, another secret, another time, or none', () => {
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

  it('secrets are long and different', () => {
    expect(Buffer.from(newSecret().slice('whsec_'.length), 'base64')).toHaveLength(32);
    expect(newSecret()).not.toBe(newSecret());
  });
});
