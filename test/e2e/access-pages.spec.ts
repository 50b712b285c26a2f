import { TestSystem } from '../support/system';

describe('the Content-Security-Policy', () => {
  let system: TestSystem;

  beforeAll(async () => {
    system = await TestSystem.start({ apps: ['api'] });
  });

  afterAll(() => system.stop());

  const policyOf = async (path: string) => {
    const { headers } = await system.get(path);
    const directives = headers.get('content-security-policy')!.split(';');
    return Object.fromEntries(directives.map((directive) => directive.split(/ (.*)/).slice(0, 2)));
  };

  const strict = {
    'default-src': "'self'",
    'script-src': "'self'",
    'script-src-attr': "'none'",
    'style-src': "'self'",
    'img-src': "'self' data:",
    'font-src': "'self' data:",
    'connect-src': "'self'",
    'object-src': "'none'",
    'base-uri': "'none'",
    'form-action': "'self'",
    'frame-ancestors': "'none'",
  };
  const styled = { ...strict, 'style-src': "'self' 'unsafe-inline'" };

  it.each([
    ['/health/live', strict],
    ['/v1/nothing', strict],
    ['/dev/mailbox', strict],
    ['/', strict],
    ['/docs', styled],
    ['/admin/queues', { ...styled, 'base-uri': "'self'" }],
  ])('of %s allows no other host', async (path, policy) => {
    expect(await policyOf(path)).toEqual(policy);
  });

  it.each(['/', '/docs', '/admin/queues'])(
    'is met by %s: everything that the page loads comes from this server',
    async (page) => {
      const html = (await system.get(page)).body as string;
      const base = new URL(/<base href="([^"]+)"/.exec(html)?.[1] ?? page, system.url());
      const loaded = [...html.matchAll(/<(?:script|link|img|iframe)\b[^>]*?\b(?:src|href)=["']([^"']+)/g)].map(
        ([, address]) => new URL(address!, base),
      );
      expect(loaded.length).toBeGreaterThan(2);
      for (const address of loaded) {
        expect(address.origin).toBe(system.url());
        const { status, headers, body } = await system.get(address.pathname);
        expect({ address: address.href, status }).toEqual({ address: address.href, status: 200 });
        if (headers.get('content-type')?.startsWith('text/css')) {
          expect(body).not.toMatch(/@import|url\(["']?(?:https?:)?\/\//);
        }
      }
    },
  );
});
