import { FileLinks } from './file-links';

const id = '019e0000-0000-7000-8000-000000000000';

describe('a link to a file', () => {
  let now = Date.UTC(2026, 10, 24);
  const links = new FileLinks(Buffer.from('a key'), () => now);
  const queryOf = (url: string) => Object.fromEntries(new URL(url, 'http://localhost').searchParams);

  it('is good for five minutes, and not a second more', () => {
    const url = links.urlOf(id);
    expect(url).toMatch(new RegExp(`^/v1/files/${id}\\?expires=\\d+&signature=[\\w-]{43}$`));
    now += 299_000;
    links.check('GET', id, queryOf(url));
    now += 1_000;
    expect(() => links.check('GET', id, queryOf(url))).toThrow(expect.objectContaining({ code: 'link_expired' }));
  });

  it('is good for its method, its file, its time and its key', () => {
    const query = queryOf(links.urlOf(id));
    const { signature, expires } = query as { signature: string; expires: string };
    const refused: [string, string, Record<string, unknown>][] = [
      ['DELETE', id, query],
      ['GET', id.replace('9e', '9f'), query],
      ['GET', id, { ...query, expires: String(Number(expires) + 1) }],
      ['GET', id, { ...query, signature: signature.replace(/^./, (c) => (c === 'A' ? 'B' : 'A')) }],
      ['GET', id, { ...query, signature: signature.slice(0, -1) }],
      ['GET', id, { ...query, signature: '' }],
      ['GET', id, { ...query, signature: [signature, signature] }],
      ['GET', id, { ...query, expires: `${expires}.0` }],
      ['GET', id, {}],
      ['GET', id, queryOf(new FileLinks(Buffer.from('another key'), () => now).urlOf(id))],
    ];
    for (const last of ['A', 'B', 'C', 'D', 'E'].filter((letter) => !signature.endsWith(letter))) {
      refused.push(['GET', id, { ...query, signature: signature.slice(0, -1) + last }]);
    }
    links.check('GET', id, query);
    for (const request of refused) {
      expect(() => links.check(...request)).toThrow(expect.objectContaining({ status: 403, code: 'link_invalid' }));
    }
  });
});
