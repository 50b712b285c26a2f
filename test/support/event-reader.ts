import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { until } from './until';

export interface ReadEvent {
  readonly id: string;
  readonly event: string;
  readonly data: any;
}

/** Reads a stream of server-sent events as a browser does. It can also stop reading, which a browser cannot. */
export class EventReader {
  readonly events: ReadEvent[] = [];
  /** The id that a browser sends when it reconnects. */
  lastEventId = '';
  retryMs: number | undefined;
  comments = 0;
  /** How the stream ended: in order, or broken off. */
  ended: 'in order' | 'broken off' | undefined;
  private pending = '';

  private constructor(private readonly answer: IncomingMessage) {
    answer.setEncoding('utf8').on('data', (text: string) => this.read(text));
    answer.on('error', () => undefined);
    answer.on('close', () => (this.ended = answer.complete ? 'in order' : 'broken off'));
  }

  /** @returns the reader when the stream has begun; for every other answer, its status and body */
  static async open(
    url: string,
    headers: Record<string, string> = {},
  ): Promise<{ status: number; type: string; reader?: EventReader; body: any }> {
    const asked = get(url, { headers, agent: false });
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    asked.on('error', () => undefined);
    const status = answer.statusCode!;
    const type = answer.headers['content-type'] ?? '';
    if (status === 200) return { status, type, reader: new EventReader(answer), body: undefined };
    const text = (await answer.setEncoding('utf8').toArray()).join('');
    return { status, type, body: text === '' ? undefined : JSON.parse(text) };
  }

  static async follow(url: string, headers?: Record<string, string>): Promise<EventReader> {
    const { status, reader, body } = await EventReader.open(url, headers);
    if (!reader) throw new Error(`Expected a stream, got ${status}: ${JSON.stringify(body)}`);
    return reader;
  }

  get headers(): IncomingMessage['headers'] {
    return this.answer.headers;
  }

  /**
   * Waits until an event matches.
   * @param withinMs for streams of megabytes: more than the usual time
   * @returns the first event that matches
   */
  async sees(what: string, fits: (event: ReadEvent) => boolean, withinMs?: number): Promise<ReadEvent> {
    const seen = await until(
      `an event comes: ${what}`,
      () => Promise.resolve(this.events),
      (events) => events.some(fits),
      withinMs,
    );
    return seen.find(fits)!;
  }

  async ends(): Promise<'in order' | 'broken off'> {
    return (await until(
      'the stream ends',
      () => Promise.resolve(this.ended ?? 'open'),
      (ended) => ended !== 'open',
    )) as 'in order' | 'broken off';
  }

  pause(): void {
    this.answer.pause();
  }

  resume(): void {
    this.answer.resume();
  }

  close(): void {
    this.answer.destroy();
  }

  private read(text: string): void {
    const blocks = (this.pending + text).split('\n\n');
    this.pending = blocks.pop()!;
    for (const block of blocks) this.dispatch(block.split('\n'));
  }

  private dispatch(lines: readonly string[]): void {
    const fields = new Map(lines.map((line) => [line.split(':', 1)[0]!, line.replace(/^[^:]*: ?/, '')]));
    if (fields.has('')) this.comments += 1;
    if (fields.has('retry')) this.retryMs = Number(fields.get('retry'));
    if (fields.has('id')) this.lastEventId = fields.get('id')!;
    const data = fields.get('data');
    if (data === undefined) return;
    this.events.push({ id: this.lastEventId, event: fields.get('event') ?? 'message', data: JSON.parse(data) });
  }
}
