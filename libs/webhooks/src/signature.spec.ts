import { Webhook } from 'standardwebhooks';
import { newSecret, signedHeaders } from './signature';

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

  it('secrets are long and different', () => {
    expect(Buffer.from(newSecret().slice('whsec_'.length), 'base64')).toHaveLength(32);
    expect(newSecret()).not.toBe(newSecret());
  });
});
