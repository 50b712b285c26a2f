import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import PostalMime from 'postal-mime';
import { SMTPServer } from 'smtp-server';
import { createMailTransport } from './mail-transport';
import { Mailer, type Email } from './mailer';

/** What a mail server receives, after it has removed the dots that the protocol adds (dot-stuffing). */
describe('an email as a mail server receives it', () => {
  const received: Buffer[] = [];
  let server: SMTPServer;
  let mailer: Mailer;
  let close: () => void;

  beforeAll(async () => {
    server = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS'],
      closeTimeout: 100,
      onData: (stream, _, done) => {
        void buffer(stream).then((bytes) => {
          received.push(bytes);
          done(null);
        });
      },
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.server.address() as AddressInfo;
    const transport = createMailTransport(`smtp://127.0.0.1:${port}`, undefined as never);
    close = () => transport.close();
    mailer = new Mailer(transport, 'shop@example.com');
  });

  afterAll(async () => {
    close();
    await new Promise<void>((resolve) => server.close(resolve));
  });

  const email: Email = { tenant: 'demo', to: 'ada@example.com', subject: 'Hello', text: 'Hello', html: undefined };

  async function arrived(changed: Partial<Email>) {
    received.length = 0;
    await mailer.send({ ...email, ...changed }, '019e0000-0000-7000-8000-000000000000');
    const raw = received[0]!;
    const lengths = raw
      .toString('latin1')
      .split('\r\n')
      .map((line) => line.length);
    // RFC 5322, 2.1.1: a line has at most 998 characters.
    expect(Math.max(...lengths)).toBeLessThanOrEqual(998);
    expect(raw.toString('latin1')).not.toMatch(/[^\r]\n|\r[^\n]/);
    return PostalMime.parse(raw);
  }

  it.each([
    ['a line of 100,000 characters', 'x'.repeat(100_000)],
    ['lines of dots', '.\n..\n.\nend'],
    ['text that looks like the end of the message', 'a\n.\nRCPT TO:<eve@example.com>\nb'],
    ['control characters', 'a\u0007b\u001Bc'],
    ['an emoji and Chinese', '😀 '.repeat(500) + '你好'],
    ['lines that begin with From', 'From me\nFrom you'],
  ])('contains %s unchanged', async (_, text) => {
    expect((await arrived({ text })).text?.trimEnd()).toBe(text.trimEnd());
  });

  it('can have a subject of 500 code units of four-byte characters', async () => {
    expect((await arrived({ subject: '😀'.repeat(250) })).subject).toBe('😀'.repeat(250));
  });

  it('can have HTML in one long line beside its text', async () => {
    const html = `<p>${'ä'.repeat(50_000)}</p>`;
    const mail = await arrived({ html });
    expect([mail.html, mail.text?.trim()]).toEqual([html, 'Hello']);
  });
});
