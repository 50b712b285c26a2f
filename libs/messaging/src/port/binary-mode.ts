/** A message as a broker has it: its headers beside its bytes. */
export interface NativeMessage {
  readonly headers: Readonly<Record<string, unknown>> | undefined;
  readonly contentType: unknown;
  readonly bytes: Buffer;
}

/**
 * A CloudEvent in binary mode: its attributes stand in the headers, its data is the bytes
 * (https://github.com/cloudevents/spec/blob/main/cloudevents/spec.md#message).
 */
export class BinaryEvent {
  constructor(
    readonly attributes: Readonly<Record<string, string>>,
    readonly bytes: Buffer,
  ) {}

  /** The same event as structured mode has it. @throws SyntaxError for data that is no JSON */
  toStructured(): Record<string, unknown> {
    const { datacontenttype } = this.attributes;
    if (datacontenttype !== undefined && !isJson.test(datacontenttype)) {
      throw new SyntaxError(`its content type is "${datacontenttype}"`);
    }
    if (this.bytes.length === 0) return { ...this.attributes };
    return { ...this.attributes, data: JSON.parse(this.bytes.toString('utf8')) as unknown };
  }
}

const isStructured = /^application\/cloudevents/i;
const isJson = /^[^;]*[/+]json\s*(;|$)/i;
const attributeName = /^[a-z0-9]+$/;
const required = ['specversion', 'id', 'source', 'type'];

/**
 * @param prefixes what the names of headers begin with that are attributes
 * @returns the bytes as they came where no header names an attribute that every event has, or where the content type
 *   says that the whole event is in them
 */
export function fromBinaryMode(
  { headers = {}, contentType, bytes }: NativeMessage,
  prefixes: readonly string[],
): BinaryEvent | Buffer {
  const type = textOf(contentType);
  if (type !== undefined && isStructured.test(type)) return bytes;
  const attributes = Object.fromEntries(
    Object.entries(headers).flatMap(([header, value]) => {
      const prefix = prefixes.find((known) => header.startsWith(known));
      const [name, text] = [header.slice(prefix?.length), textOf(value)];
      return prefix !== undefined && attributeName.test(name) && text !== undefined ? [[name, text] as const] : [];
    }),
  );
  if (!required.some((name) => name in attributes)) return bytes;
  return new BinaryEvent({ ...attributes, ...(type !== undefined && { datacontenttype: type }) }, bytes);
}

/** Clients give headers as text, as bytes, or as numbers; of several with one name, the first counts. */
function textOf(value: unknown): string | undefined {
  const [one] = Array.isArray(value) ? (value as unknown[]) : [value];
  if (Buffer.isBuffer(one)) return one.toString('utf8');
  return typeof one === 'string' || typeof one === 'number' || typeof one === 'boolean' ? String(one) : undefined;
}
