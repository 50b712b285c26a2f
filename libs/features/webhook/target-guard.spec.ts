import type { LookupAddress } from 'node:dns';
import { TargetGuard } from './target-guard';

const publicly = (...addresses: string[]): (() => Promise<LookupAddress[]>) => {
  const found = addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  return () => Promise.resolve(found);
};

const guardOf = (
  policy: { httpsOnly?: boolean; allowedHosts?: string[]; receiverUrl?: string } = {},
  resolve = publicly('93.184.215.14'),
) => new TargetGuard({ httpsOnly: false, allowedHosts: [], ...policy }, resolve);

describe('TargetGuard', () => {
  it.each([
    'https://shop.example.com/hooks?token=1',
    'https://shop.example.com:8443/',
    'http://shop.example.com/',
    'http://shop.example.com:8080/',
    'https://8.8.8.8/',
    'https://[2606:4700::1111]/',
  ])('allows %s', (url) => expect(guardOf().check(url)).resolves.toBeUndefined());

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
  ])('refuses %s (%s)', (url, code) => expect(guardOf().check(url)).rejects.toMatchObject({ code }));

  it('refuses http and allows https with httpsOnly', async () => {
    const guard = guardOf({ httpsOnly: true });
    await expect(guard.check('http://shop.example.com/')).rejects.toMatchObject({ code: 'scheme' });
    await expect(guard.check('https://shop.example.com/')).resolves.toBeUndefined();
  });

  it.each([
    ['a private address', ['10.0.0.1']],
    ['a private address behind a public one', ['93.184.215.14', '10.0.0.1']],
    ['a mapped address', ['::ffff:10.0.0.1']],
  ])('refuses a name that has %s, and does not show the address', async (_, addresses) => {
    const refusal = guardOf({}, publicly(...addresses)).check('https://inside.example.com/');
    await expect(refusal).rejects.toMatchObject({ code: 'address' });
    await expect(refusal).rejects.not.toThrow('10.0.0.1');
  });

  it('refuses a name that has no address', () =>
    expect(guardOf({}, publicly()).check('https://nowhere.example.com/')).rejects.toMatchObject({
      code: 'unresolved',
    }));

  it('refuses in the same words for every reason', async () => {
    const messages = async (policy: { httpsOnly?: boolean; receiverUrl?: string }) => {
      const silent = () => Promise.reject(new Error('queryA ETIMEOUT silent.example.com'));
      const refusals = [
        guardOf(policy).check('ftp://shop.example.com/'),
        guardOf(policy).check('https://user:password@shop.example.com/'),
        guardOf(policy).check('https://shop.example.com:22/'),
        guardOf(policy).check('https://192.0.2.1/'),
        guardOf(policy, publicly()).check('https://nowhere.example.com/'),
        guardOf(policy, publicly('192.0.2.1')).check('https://inside.example.com/'),
        guardOf(policy, silent).check('https://silent.example.com/'),
      ];
      return new Set(
        await Promise.all(
          refusals.map((refusal) => refusal.then(String, (error: unknown) => (error as Error).message)),
        ),
      );
    };
    const inProduction = await messages({ httpsOnly: true });
    expect(inProduction.size).toBe(1);
    expect([...inProduction][0]).toMatch(/^expected a URL with https:.*public Internet$/);
    const inDevelopment = await messages({ receiverUrl: 'http://localhost:3000/dev/webhook-receiver' });
    expect(inDevelopment.size).toBe(1);
    expect([...inDevelopment][0]).toContain('http://localhost:3000/dev/webhook-receiver is a receiver');
  });

  it('gives the same message for a refused address at connect time as for a refused URL', async () => {
    const guard = guardOf({}, publicly('192.0.2.1'));
    const said = await new Promise<Error | null>((resolve) => {
      guard.lookup('inside.example.com', { all: true }, (error) => resolve(error));
    });
    await expect(guard.check('https://192.0.2.1/')).rejects.toThrow(said!.message);
  });

  it('allows the exact URL of the built-in receiver', async () => {
    const guard = guardOf({ receiverUrl: 'http://localhost:3000/dev/webhook-receiver' }, publicly());
    await expect(guard.check('http://localhost:3000/dev/webhook-receiver')).resolves.toBeUndefined();
    for (const url of ['?a=1', '/more', '#a'].map((more) => `http://localhost:3000/dev/webhook-receiver${more}`)) {
      await expect(guard.check(url)).rejects.toMatchObject({ code: 'port' });
    }
  });

  it('allows any URL of an allowed host, and of no other host', async () => {
    const guard = guardOf({ allowedHosts: ['127.0.0.1', '::1', 'localhost'] });
    for (const url of ['http://127.0.0.1:4000/', 'http://[::1]:4000/', 'http://localhost:4000/']) {
      await expect(guard.check(url)).resolves.toBeUndefined();
    }
    await expect(guard.check('http://127.0.0.2/')).rejects.toMatchObject({ code: 'address' });
  });
});
