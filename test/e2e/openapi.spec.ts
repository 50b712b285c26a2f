import fc from 'fast-check';
import { fromSchema, junk, type Schema } from '../support/from-schema';
import { EventReader } from '../support/event-reader';
import { TestSystem, type Answer } from '../support/system';

interface Operation {
  readonly parameters?: readonly { readonly name: string; readonly in: string; readonly schema?: Schema }[];
  readonly responses: Readonly<Record<string, { readonly content?: Readonly<Record<string, unknown>> }>>;
  readonly requestBody?: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
}

interface OpenApi {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

/** The number of requests for each route. Most of them are nearly valid. */
const requestsEach = Number(process.env['RUNS'] ?? 100);

const header = fc.string({ unit: 'grapheme-ascii', maxLength: 300 });

function requestOf(path: string, method: string, { parameters = [], requestBody }: Operation) {
  const valuesOf = (place: string) =>
    Object.fromEntries(
      parameters
        .filter((parameter) => parameter.in === place)
        .map(({ name, schema = {} }) => [name, fromSchema(schema)]),
    );
  const bodySchema = requestBody?.content['application/json']?.schema;
  const json = bodySchema ? fromSchema(bodySchema).map((body) => JSON.stringify(body)) : fc.constant(undefined);
  return fc.record({
    method: fc.constant(method.toUpperCase()),
    path: fc
      .tuple(fc.record(valuesOf('path')), fc.record(valuesOf('query'), { requiredKeys: [] }))
      .map(([inPath, inQuery]) => {
        const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => encode(inPath[name]));
        const query = Object.entries(inQuery).map(([name, value]) => `${name}=${encode(value)}`);
        return query.length === 0 ? filled : `${filled}?${query.join('&')}`;
      }),
    body: bodySchema ? fc.oneof({ weight: 9, arbitrary: json }, { weight: 1, arbitrary: fc.string() }) : json,
    headers: fc.record(
      {
        'idempotency-key': fc.oneof({ weight: 4, arbitrary: fc.uuid() }, { weight: 1, arbitrary: header }),
        traceparent: header,
        'last-event-id': fc.oneof(fc.nat().map(String), fc.constant('1:1:'), header),
        'content-type': fc.oneof(
          { weight: 8, arbitrary: fc.constant('application/json') },
          { weight: 1, arbitrary: fc.constantFrom('text/plain', 'application/json; charset=utf-7') },
        ),
      },
      { requiredKeys: [] },
    ),
  });
}

/** Encodes a value. A URL cannot hold lone surrogates. */
function encode(value: unknown): string {
  return encodeURIComponent((typeof value === 'string' ? value : JSON.stringify(value)).toWellFormed().slice(0, 2_000));
}

function assertSpoken({ status, headers, body }: Answer): void {
  expect(status).toBeLessThan(500);
  if (status < 400) return;
  expect(headers.get('content-type')).toContain('application/problem+json');
  expect(body).toMatchObject({
    status,
    code: expect.stringMatching(/^[a-z_]+$/),
    title: expect.any(String),
    detail: expect.any(String),
  });
}

describe('a random request', () => {
  let system: TestSystem;

  beforeAll(async () => {
    system = await TestSystem.start({ apps: ['api'] });
  });

  afterAll(() => system.stop());

  /** Reads only the status and the headers, because a stream does not end. */
  async function beginningOf({ path, headers }: Parameters<TestSystem['request']>[1] & { path: string }) {
    const { status, reader, body, type } = await EventReader.open(`${system.url()}${path}`, headers);
    reader?.close();
    return { status, headers: new Headers({ 'content-type': type }), body };
  }

  it('to a route of the OpenAPI document gets an answer that says what is wrong, and never a 5xx', async () => {
    const document = (await system.get('/docs-json')).body as OpenApi;
    const answers = new Map<string, Set<number>>();
    for (const [path, operations] of Object.entries(document.paths)) {
      for (const [method, operation] of Object.entries(operations)) {
        const route = `${method.toUpperCase()} ${path}`;
        const seen = new Set<number>();
        answers.set(route, seen);
        const isStream = operation.responses['200']?.content?.['text/event-stream'] !== undefined;
        const check = async (request: Parameters<TestSystem['request']>[1] & { path: string }) => {
          const answer = isStream ? await beginningOf(request) : await system.request(request.path, request);
          seen.add(answer.status);
          assertSpoken(answer);
        };
        await fc.assert(fc.asyncProperty(requestOf(path, method, operation) as fc.Arbitrary<never>, check), {
          numRuns: requestsEach,
        });
      }
    }
    // The requests are close enough to valid that each of these routes accepts some of them.
    for (const route of [
      'POST /v1/emails',
      'POST /v1/sms',
      'GET /v1/jobs',
      'GET /v1/events',
      'POST /v1/dead-letters/redrive',
    ]) {
      expect([route, [...answers.get(route)!].some((status) => status < 300)]).toEqual([route, true]);
      expect([route, answers.get(route)!.has(400)]).toEqual([route, true]);
    }
  });

  it('to an unknown route never gets a 5xx', async () => {
    const paths = fc.oneof(
      fc.webPath(),
      junk.map((value) => `/v1/${encode(value)}`),
    );
    const methods = fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'PATCH');
    await fc.assert(
      fc.asyncProperty(paths, methods, async (path, method) => {
        const answer = await system.request(path || '/', { method });
        expect(answer.status).toBeLessThan(500);
      }),
      { numRuns: requestsEach },
    );
  });
});
