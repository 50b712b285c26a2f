import fc from 'fast-check';
import { encodeMessage, maxMessageBytes, parseMessage, rawBytes, UnreadableMessageError } from './job-message';

const message = {
  id: '019e0000-0000-7000-8000-000000000000',
  dispatch: 3,
  kind: 'email.send',
  version: 2,
  queue: 'email',
  priority: 1,
  orderKey: null,
  at: new Date('2026-11-23T06:53:07.180Z'),
  traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
};

describe('a job message', () => {
  it('is a CloudEvent with the job id, the dispatch number and a reference to the job', () => {
    expect(encodeMessage(message)).toEqual({
      specversion: '1.0',
      id: message.id,
      source: '/node-message-queue',
      type: 'email.send.v2',
      time: '2026-11-23T06:53:07.180Z',
      dispatch: 3,
      dataref: `/v1/jobs/${message.id}`,
      traceparent: message.traceparent,
    });
  });

  it('is parsed back from an object and from bytes', () => {
    const { id, dispatch, kind, version, traceparent } = message;
    const parsed = { id, dispatch, kind, version, traceparent };
    expect(parseMessage(encodeMessage(message))).toEqual(parsed);
    expect(parseMessage(Buffer.from(JSON.stringify(encodeMessage(message))))).toEqual(parsed);
  });

  it('of another service may have an attribute named dispatch, and is refused when its type is too long', () => {
    const event = { specversion: '1.0', id: '1', source: '/elsewhere', type: 'a.b.v1', dispatch: 'by truck' };
    expect(parseMessage(event)).toMatchObject({ kind: 'a.b', id: '1' });
    expect(() => parseMessage({ ...event, type: `${'a'.repeat(10_000_000)}.v1` })).toThrow(UnreadableMessageError);
  });

  it('is refused when its data have too many bytes, as an object and as bytes: characters do not count', () => {
    const eventOf = (data: string) => ({ specversion: '1.0', id: '1', source: '/elsewhere', type: 'a.b.v1', data });
    const fits = eventOf('字'.repeat(20_000));
    expect(parseMessage(fits)).toEqual(parseMessage(Buffer.from(JSON.stringify(fits))));
    const tooLarge = eventOf('字'.repeat(24_000));
    expect(JSON.stringify(tooLarge).length).toBeLessThan(maxMessageBytes);
    for (const body of [tooLarge, Buffer.from(JSON.stringify(tooLarge))]) {
      expect(() => parseMessage(body)).toThrow(expect.objectContaining({ reason: 'oversized' }));
    }
  });

  it('is refused when it is nested too deep to be serialised, and its dead letter still gets some bytes', () => {
    let data: unknown = null;
    for (let depth = 0; depth < 20_000; depth += 1) data = [data];
    const event = { specversion: '1.0', id: '1', source: '/elsewhere', type: 'a.b.v1', data };
    expect(() => parseMessage(event)).toThrow(UnreadableMessageError);
    expect(rawBytes(event).length).toBeGreaterThan(0);
  });

  it('is refused with a reason, and never with another error, for any other body', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.anything(),
          fc.uint8Array().map((bytes) => Buffer.from(bytes)),
          fc.json().map((json) => Buffer.from(json)),
        ),
        (body) => {
          try {
            parseMessage(body);
            return false;
          } catch (error) {
            return error instanceof UnreadableMessageError && error.message.startsWith('Expected');
          }
        },
      ),
    );
  });
});
