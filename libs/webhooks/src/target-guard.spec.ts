import type { LookupAddress } from 'node:dns';
import { TargetGuard } from './target-guard';

const publicly = (...addresses: string[]): (() => Promise<LookupAddress[]>) => {
  const found = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  return () => Promise.resolve(found);
};

const guardOf = (policy: { httpsOnly?: boolean; allowedHosts?: string[] } = {}, resolve = publicly('93.184.215.14')) =>
  new TargetGuard({ httpsOnly: false, allowedHosts: [], ...policy }, resolve);

describe('where webhooks may go', () => {
  it.each([
    'https://shop.example.com/hooks?token=1',
    'https://shop.example.com:8443/',
    'http://shop.example.com/',
    'http://shop.example.com:8080/',
    'https://8.8.8.8/',
    'https://[2606:4700::1111]/',
  ])('%s', (url) => expect(guardOf().check(url)).resolves.toBeUndefined());

  it.each([
    ['ftp://shop.example.com/', 'scheme'],
    ['file:///etc/passwd', 'scheme'],
    ['https://user:password@shop.example.com/', 'credentials'],
    ['https://shop.example.com:22/', 'port'],
    ['https://shop.example.com:80/', 'port'],
    ['http://shop.example.com:6379/', 'port'],
    ['http://127.0.0.1/', 'address'],
    ['http://127.1/', 'address'],
    ['http://0x7f000001/', 'address'],
    ['http://2130706433/', 'address'],
    ['http://0177.0.0.1/', 'address'],
    ['http://127。0。0。1/', 'address'],
    ['http://[::1]/', 'address'],
    ['http://[::ffff:127.0.0.1]/', 'address'],
    ['http://[::ffff:a9fe:a9fe]/', 'address'],
    ['http://169.254.169.254/latest/meta-data/', 'address'],
    ['http://0/', 'address'],
  ])('not %s (%s)', (url, code) => expect(guardOf().check(url)).rejects.toMatchObject({ code }));

  it('in production by https only', async () => {
    const guard = guardOf({ httpsOnly: true });
    await expect(guard.check('http://shop.example.com/')).rejects.toMatchObject({ code: 'scheme' });
    await expect(guard.check('https://shop.example.com/')).resolves.toBeUndefined();
  });

  it.each([
    ['a private address', ['10.0.0.1']],
    ['a private address behind a public one', ['93.184.215.14', '10.0.0.1']],
    ['a mapped address', ['::ffff:10.0.0.1']],
  ])('not a name that has %s, whose address is not told', async (_, addresses) => {
    const refusal = guardOf({}, publicly(...addresses)).check('https://inside.example.com/');
    await expect(refusal).rejects.toMatchObject({ code: 'address' });
    await expect(refusal).rejects.not.toThrow('10.0.0.1');
  });

  it('not a name that has no address', () =>
    expect(guardOf({}, publicly()).check('https://nowhere.example.com/')).rejects.toMatchObject({
      code: 'unresolved',
    }));

  it('to a host that is let in, whatever it is, and to no other', async () => {
    const guard = guardOf({ allowedHosts: ['127.0.0.1', '::1', 'localhost'] });
    for (const url of ['http://127.0.0.1:4000/', 'http://[::1]:4000/', 'http://localhost:4000/']) {
      await expect(guard.check(url)).resolves.toBeUndefined();
    }
    await expect(guard.check('http://127.0.0.2/')).rejects.toMatchObject({ code: 'address' });
  });
});
