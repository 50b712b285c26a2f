/** A message in the broker's format: headers and bytes. */
export interface NativeMessage {
  readonly headers: Readonly<Record<string, unknown>> | undefined;
  readonly contentType: unknown;
  readonly bytes: Buffer;
}

/**
 * A CloudEvent in binary mode: the headers hold its attributes, the bytes are its data
 * (https://github.com/cloudevents/spec/blob/main/cloudevents/spec.md#message).
 */
export class BinaryEvent {
  constructor(
    readonly attributes: Readonly<Record<string, string>>,
    readonly bytes: Buffer,
  ) {}

  /**
   * @returns the same event in structured mode
   * @throws SyntaxError for data that are not JSON
   */
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
 * Recognises a CloudEvent in binary mode by its headers.
 * @param prefixes the prefixes of header names that hold attributes
 * @returns the unchanged bytes when no header names a required attribute, or when the content type says that the bytes
 *   hold the whole event
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

/** Clients give headers as text, bytes or numbers. Of several headers with one name, the first counts. */
function textOf(value: unknown): string | undefined {
  const [one] = Array.isArray(value) ? (value as unknown[]) : [value];
  if (Buffer.isBuffer(one)) return one.toString('utf8');
  return typeof one === 'string' || typeof one === 'number' || typeof one === 'boolean' ? String(one) : undefined;
}
