import fc from 'fast-check';
import { fromBinaryMode, type BinaryEvent } from './binary-mode';
import { maxMessageBytes, parseMessage, rawBytes, UnreadableMessageError } from './job-message';

const attributes = {
  specversion: '1.0',
  id: 'order-4711',
  source: 'https://shop.example.com/orders',
  type: 'parcel.sent.v1',
  tenant: 'shop',
};
const data = { to: '+4915112345678', text: 'Grüße' };
const parsed = {
  id: 'order-4711',
  source: attributes.source,
  kind: 'parcel.sent',
  version: 1,
  traceparent: undefined,
  tenant: 'shop',
  data,
};

const prefixed = (prefix: string, given: object = attributes) =>
  Object.fromEntries(Object.entries(given).map(([name, value]) => [`${prefix}${name}`, value as unknown]));

const received = (over: Partial<Parameters<typeof fromBinaryMode>[0]> = {}) =>
  fromBinaryMode(
    { headers: prefixed('ce_'), contentType: 'application/json', bytes: Buffer.from(JSON.stringify(data)), ...over },
    ['ce_'],
  );

describe('a CloudEvent in binary mode', () => {
  it('is parsed to the same event as in structured mode', () => {
    expect(parseMessage(received())).toEqual(parsed);
    expect(parseMessage(received())).toEqual(parseMessage(Buffer.from(JSON.stringify({ ...attributes, data }))));
  });

  it.each(['cloudEvents:', 'cloudEvents_', 'ce-'])('has its attributes in headers that begin with %s', (prefix) => {
    const native = { headers: prefixed(prefix), contentType: undefined, bytes: Buffer.from(JSON.stringify(data)) };
    expect(parseMessage(fromBinaryMode(native, ['cloudEvents:', 'cloudEvents_', 'ce-']))).toEqual(parsed);
    expect(fromBinaryMode(native, ['other_'])).toBe(native.bytes);
  });

  it('is read in whatever form the client passes its headers', () => {
    const headers = prefixed('ce_');
    const asBytes = Object.fromEntries(
      Object.entries(headers).map(([name, text]) => [name, Buffer.from(String(text))]),
    );
    for (const given of [headers, asBytes, { ...asBytes, ce_id: [Buffer.from('order-4711'), 'another'] }]) {
      expect(parseMessage(received({ headers: given }))).toEqual(parsed);
    }
  });

  it('may have numbers as text attributes; other header values are ignored', () => {
    const headers = { ...prefixed('ce_'), ce_id: 4711, ce_time: { '!': 'timestamp', value: 1 } };
    expect(parseMessage(received({ headers }))).toMatchObject({ id: '4711' });
  });

  it('is not assumed for a structured event, whatever its headers contain', () => {
    const bytes = Buffer.from(JSON.stringify({ ...attributes, id: 'another', data }));
    const contentType = Buffer.from('application/CloudEvents+json; charset=utf-8');
    expect(received({ contentType, bytes })).toBe(bytes);
  });

  it('is not assumed for a message without attributes in its headers', () => {
    const bytes = Buffer.from(JSON.stringify({ ...attributes, data }));
    expect(received({ headers: { 'x-retry': '1', ce_time: '2026' }, bytes })).toBe(bytes);
    expect(received({ headers: undefined, bytes })).toBe(bytes);
  });

  it.each(['application/json; charset=utf-8', 'application/vnd.shop+json', 'text/json', undefined])(
    'has JSON as data when the content type is %s',
    (contentType) => {
      expect(parseMessage(received({ contentType }))).toMatchObject({ data });
    },
  );

  it('has no data when it has no bytes', () => {
    expect(parseMessage(received({ bytes: Buffer.alloc(0) }))).toMatchObject({ data: undefined });
  });

  it.each([
    ['without a type', { headers: prefixed('ce_', { ...attributes, type: undefined }) }, 'malformed', /type/],
    ['of another version', { headers: prefixed('ce_', { ...attributes, specversion: '0.3' }) }, 'malformed', /1\.0/],
    ['with data that is no JSON', { bytes: Buffer.from('{"to"') }, 'malformed', /Expected JSON/],
    ['with data of another type', { contentType: 'text/csv', bytes: Buffer.from('1') }, 'malformed', /text\/csv/],
    ['that is too large', { bytes: Buffer.alloc(maxMessageBytes + 1, ' ') }, 'oversized', /65537/],
  ])('%s is refused with a reason and its source', (_, over, reason, detail) => {
    const body = received(over);
    let refused: unknown;
    try {
      parseMessage(body);
    } catch (error) {
      refused = error;
    }
    expect(refused).toBeInstanceOf(UnreadableMessageError);
    expect(refused).toMatchObject({ reason, message: expect.stringMatching(detail) });
    if (!('bytes' in over)) return;
    expect(refused).toMatchObject({ about: { source: attributes.source } });
    expect(rawBytes(body)).toEqual(over.bytes);
  });

  it('is kept with its attributes when it can be read', () => {
    expect(JSON.parse(rawBytes(received()).toString())).toEqual({
      ...attributes,
      datacontenttype: 'application/json',
      data,
    });
  });

  it('is an event or the bytes as they came, for any headers', () => {
    const bytes = Buffer.from('null');
    const header = fc.oneof(fc.constantFrom('ce_id', 'ce_data', 'ce___proto__', 'ce_', 'ce_ID'), fc.string());
    fc.assert(
      fc.property(fc.dictionary(header, fc.anything()), fc.anything(), (headers, contentType) => {
        const body = received({ headers, contentType, bytes });
        if (body === bytes) return true;
        const event = body as BinaryEvent;
        return (
          Object.getPrototypeOf(event.attributes) === Object.prototype &&
          Object.values(event.attributes).every((value) => typeof value === 'string')
        );
      }),
    );
  });
});
