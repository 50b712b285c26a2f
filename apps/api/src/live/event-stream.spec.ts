import { once } from 'node:events';
import { createServer, get, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { eventBody, eventFrame, EventStream, openingFrame, type StreamSettings } from './event-stream';

describe('a frame', () => {
  it('is exactly one event, whatever characters its data contains', () => {
    const text = eventFrame(7, eventBody('progress', { note: 'a\nb\r\n\ndata: c\u2028' }));
    expect(text).toBe('id: 7\nevent: progress\ndata: {"note":"a\\nb\\r\\n\\ndata: c\u2028"}\n\n');
  });

  it('at the beginning of a stream gives the reconnection time and the id to resume from', () => {
    expect(openingFrame(1_500)).toBe('retry: 1500\n\n');
    expect(openingFrame(1_500, '1:2:')).toBe('retry: 1500\nid: 1:2:\n\n');
  });
});

describe('a stream', () => {
  let server: Server;
  const settings: StreamSettings = { heartbeatMs: 60_000, stallMs: 60_000, lifeMs: 600_000 };

  afterEach(async () => {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  });

  /** A stream and its reader, which does not read yet. */
  async function open(changed: Partial<StreamSettings> = {}, method = 'GET') {
    const heard = { room: 0, closed: 0 };
    let stream!: EventStream;
    server = createServer((_request, response) => {
      stream = new EventStream(
        response,
        { ...settings, ...changed },
        { onRoom: () => (heard.room += 1), onClose: () => (heard.closed += 1) },
      );
    }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const asked = get({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', method, agent: false });
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    asked.on('error', () => undefined);
    answer.on('error', () => undefined);
    answer.setEncoding('utf8').pause();
    return { stream, answer, heard };
  }

  async function come(what: () => boolean): Promise<void> {
    while (!what()) await new Promise((resolve) => setTimeout(resolve, 5));
  }

  const frame = eventFrame(1, eventBody('progress', { note: 'x'.repeat(200_000) }));

  /**
   * Sends frames until the stream stays full: the buffers of the operating system fill first, and drain at any time.
   */
  async function fill(stream: EventStream): Promise<number> {
    let sent = 0;
    for (let fullFor = 0; fullFor < 20 && sent < 1_000; fullFor += 1) {
      while (stream.hasRoom && sent < 1_000) {
        stream.send(frame);
        sent += 1;
        fullFor = 0;
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    return sent;
  }

  it('has no room while its reader does not read, and signals when it has room again', async () => {
    const { stream, answer, heard } = await open();
    const sent = await fill(stream);
    expect(stream.hasRoom).toBe(false);
    heard.room = 0;
    let received = 0;
    answer.on('data', (text: string) => (received += text.split('id: 1\n').length - 1)).resume();
    await come(() => heard.room > 0);
    expect(stream.hasRoom).toBe(true);
    stream.end();
    await once(answer, 'end');
    expect(received).toBe(sent);
  });

  it('closes the connection of a reader that does not read', async () => {
    const { stream, answer, heard } = await open({ stallMs: 150 });
    await fill(stream);
    await come(() => heard.closed === 1);
    expect(stream.hasRoom).toBe(false);
    answer.resume();
    await come(() => answer.closed);
    expect(answer.complete).toBe(false);
  });

  it('sends heartbeats', async () => {
    const { answer } = await open({ heartbeatMs: 10 });
    let text = '';
    answer.on('data', (part: string) => (text += part)).resume();
    await come(() => /^retry: 1\d{3}\n\n(:\n\n){3,}$/.test(text));
  });

  it('ends in order when its maximum lifetime is over', async () => {
    const { answer, heard } = await open({ lifeMs: 50 });
    answer.resume();
    await once(answer, 'end');
    expect([answer.complete, heard.closed]).toEqual([true, 1]);
  });

  it('is closed once when its reader disconnects', async () => {
    const { stream, answer, heard } = await open();
    answer.destroy();
    await come(() => heard.closed > 0);
    stream.end();
    expect(heard.closed).toBe(1);
  });

  it('ends at once for a HEAD request', async () => {
    const { answer, heard } = await open({}, 'HEAD');
    expect(answer.headers['content-type']).toBe('text/event-stream');
    await come(() => heard.closed === 1);
  });
});
