import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import sharp from 'sharp';
import supertest from 'supertest';
import { imageFormats, imageSizeNames } from '@app/features/image';
import { apiKeys, bearer, keys } from '../support/keys';
import { residentMb } from '../support/resident-mb';
import { TestSystem } from '../support/system';
import { until } from '../support/until';

const fileNames = imageSizeNames.flatMap((name) => imageFormats.map((format) => `${name}.${format}`)).sort();

const plain = (width: number, height: number) => sharp({ create: { width, height, channels: 3, background: '#36c' } });

/** What no two tests have in common, and takes a moment to encode. */
const noise = (width: number, height: number) =>
  sharp({
    create: { width, height, channels: 3, background: '#000', noise: { type: 'gaussian', mean: 128, sigma: 40 } },
  });

interface Sent {
  readonly name?: string;
  readonly type?: string;
  readonly field?: string;
  readonly options?: string;
  readonly key?: string;
  readonly as?: string;
}

describe('images', () => {
  const folder = mkdtempSync(join(tmpdir(), 'images-'));
  // What the definition prefers, where the run has it, and what serves in its place where not.
  const backend = process.env['TEST_RABBITMQ_URL'] === undefined ? 'bullmq-postgres' : 'rabbitmq';
  let system: TestSystem;

  beforeAll(async () => {
    const environment = {
      STORAGE_DIR: folder,
      API_KEYS: apiKeys.join(),
      SIGNING_SECRET: 'a secret of the test, long enough',
    };
    system = await TestSystem.start({ backend, apps: ['api', 'relay', 'image-worker'], environment });
  });

  afterAll(async () => {
    await system.stop();
    rmSync(folder, { recursive: true });
  });

  function send(file: Buffer | undefined, { name = 'photo.png', type, field = 'file', options, key, as }: Sent = {}) {
    const request = supertest(system.url())
      .post('/v1/images')
      .set(bearer(as ?? keys.user));
    if (key !== undefined) request.set('Idempotency-Key', key);
    if (options !== undefined) request.field('options', options);
    if (file) request.attach(field, file, { filename: name, ...(type !== undefined && { contentType: type }) });
    return request;
  }

  async function read(id: string, key: string = keys.user): Promise<any> {
    return (await system.request(`/v1/jobs/${id}`, { headers: bearer(key) })).body;
  }

  const finished = (id: string) =>
    until(
      `job ${id} is final`,
      () => read(id),
      ({ state }) => ['completed', 'failed'].includes(state),
      60_000,
    );

  async function accepted(file: Buffer, sent: Sent = {}): Promise<string> {
    const { status, body } = await send(file, sent);
    expect([status, body.detail]).toEqual([202, undefined]);
    return body.id;
  }

  const uploads = () => (existsSync(join(folder, 'uploads')) ? readdirSync(join(folder, 'uploads')) : []);
  const unfinished = () => readdirSync(join(folder, '.unfinished'));
  const variantsOf = (id: string) =>
    new Map(
      readdirSync(join(folder, 'images', id)).map((name) => [name, readFileSync(join(folder, 'images', id, name))]),
    );

  /** Nothing is kept of what is refused: no file, no half of one, no row. */
  async function keepsNothing(work: () => Promise<unknown>): Promise<void> {
    const rows = async () => (await system.pool.query('SELECT key FROM upload ORDER BY key')).rows;
    const before = [uploads().sort(), await rows()];
    await work();
    await until(
      'nothing is left of it',
      async () => [uploads().sort(), await rows(), unfinished()],
      (now) => JSON.stringify(now) === JSON.stringify([...before, []]),
      5_000,
    );
  }

  it('a PNG of 196 megapixels fails for good, says why, and costs the worker next to nothing', async () => {
    const worker = system.processes.get('image-worker')!;
    const bomb = blackPng(14_000);
    expect(bomb.length).toBeLessThan(100_000);
    const before = residentMb(worker);
    const watch = { highest: before };
    const watching = setInterval(() => (watch.highest = Math.max(watch.highest, residentMb(worker))), 5);
    const job = await finished(await accepted(bomb));
    clearInterval(watching);
    expect(job).toMatchObject({
      state: 'failed',
      attempt: 1,
      error: { code: 'refused_by_handler', message: 'The image cannot be read: expected at most 25 megapixels.' },
    });
    expect(watch.highest - before).toBeLessThan(100);
  });

  it('an upload becomes three sizes in three formats, each behind a signed link', async () => {
    const file = await plain(900, 300).jpeg().withMetadata({ orientation: 6 }).toBuffer();
    const job = await finished(await accepted(file, { options: '{"delayMs": 0}' }));
    expect(job).toMatchObject({ state: 'completed', attempt: 1, broker: backend === 'rabbitmq' ? backend : 'bullmq' });
    expect(job.progress.percent).toBe(100);
    const sizes: Record<string, [number, number]> = { thumb: [67, 200], medium: [267, 800], large: [300, 900] };
    const { variants } = job.result;
    expect(variants.map((variant: any) => `${variant.name}.${variant.format}`).sort()).toEqual(fileNames);
    for (const { name, format, width, height, bytes, url } of variants) {
      const answer = await supertest(system.url()).get(url).buffer(true).parse(binary);
      expect(answer.headers).toMatchObject({
        'content-type': `image/${format}`,
        'content-length': String(bytes),
        'content-disposition': `attachment; filename="${name}.${format}"`,
      });
      const { autoOrient, compression, format: container, exif } = await sharp(answer.body).metadata();
      expect([width, height]).toEqual(sizes[name]);
      expect({ ...autoOrient, format: compression === 'av1' ? 'avif' : container, exif }).toEqual({
        width,
        height,
        format,
      });
    }
    const [{ url }] = variants;
    expect((await supertest(system.url()).get(url.replace('signature=', 'signature=x'))).status).toBe(403);
    expect((await read(job.id, keys.rival)).code).toBe('job_not_found');
  });

  it('a name leads nowhere, and says nothing of what is in the file', async () => {
    const file = await plain(30, 20).png().toBuffer();
    const names = ['../../../etc/cron.d/x.png', '/etc/passwd', '..\\..\\x.png', 'a.svg', '💥'.repeat(60)];
    const before = uploads().length;
    const ids = [];
    for (const name of names) ids.push(await accepted(file, { name, type: 'image/svg+xml' }));
    expect(uploads()).toHaveLength(before + names.length);
    expect(uploads().filter((name) => !/^[0-9a-f-]{36}\.(png|jpg)$/.test(name))).toEqual([]);
    for (const id of ids) expect(await finished(id)).toMatchObject({ state: 'completed' });
    expect(readdirSync(folder).sort()).toEqual(['.unfinished', 'images', 'uploads']);
  });

  describe('refuses, keeps nothing, and says what is wrong with', () => {
    const tooLarge = Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), Buffer.alloc(10 * 1024 * 1024)]);
    const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>');
    const png = plain(9, 9).png().toBuffer();

    it.each<[string, () => Promise<any>, number, string, RegExp]>([
      ['no file', () => send(undefined, { options: '{}' }), 400, 'file', /expected an image as a file/],
      [
        'no form',
        () => supertest(system.url()).post('/v1/images').set(bearer(keys.user)).send({}),
        400,
        'file',
        /multipart/,
      ],
      ['a file without a byte', () => send(Buffer.alloc(0)), 400, 'file', /without a byte/],
      [
        'a type that its bytes deny',
        () => send(svg, { name: 'a.png', type: 'image/png' }),
        400,
        'file',
        /begins as none/,
      ],
      ['another field', async () => send(await png, { field: 'image' }), 400, 'image', /the field "file"/],
      ['two files', async () => send(await png).attach('file', await png, 'second.png'), 400, '', /one file/],
      ['a field too many', async () => send(await png).field('title', 'x'), 400, 'title', /not a field/],
      ['options that are no JSON', async () => send(await png, { options: '{' }), 400, 'options', /object/],
      [
        'an option that is none',
        async () => send(await png, { options: '{"size":1}' }),
        400,
        'options.size',
        /not a field/,
      ],
      ['a key that is none', async () => send(await png, { key: 'a b' }), 400, 'Idempotency-Key', /visible ASCII/],
      [
        'a broker that is not there',
        async () => send(await png, { options: '{"broker":"kafka"}' }),
        422,
        'options.broker',
        /configured/,
      ],
      ['a file that is too large', () => send(tooLarge), 413, '', /at most 10485760 bytes/],
    ])('%s', async (_, request, status, path, message) => {
      await keepsNothing(async () => {
        const { status: got, body, type } = await request();
        expect([got, type, body.detail]).toEqual([status, 'application/problem+json', expect.stringMatching(message)]);
        if (path) expect(body.errors[0].path).toBe(path);
      });
    });

    it('a form that ends too soon, and one whose sender hangs up', async () => {
      const body = Buffer.concat([
        Buffer.from('--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\n'),
        await noise(300, 200).png().toBuffer(),
      ]);
      await keepsNothing(async () => {
        const asked = supertest(system.url()).post('/v1/images').set(bearer(keys.user));
        const answer = await asked.set('Content-Type', 'multipart/form-data; boundary=b').send(body);
        expect([answer.status, answer.body.detail]).toEqual([400, expect.stringContaining('Unexpected end of')]);
      });
      await keepsNothing(async () => {
        const { hostname, port } = new URL(system.url());
        const socket = connect(Number(port), hostname);
        await once(socket, 'connect');
        socket.write(
          `POST /v1/images HTTP/1.1\r\nHost: ${hostname}\r\nAuthorization: Bearer ${keys.user}\r\n` +
            `Content-Type: multipart/form-data; boundary=b\r\nContent-Length: ${body.length + 1_000}\r\n\r\n`,
        );
        socket.write(body);
        await until(
          'it is being written',
          () => Promise.resolve(unfinished()),
          ({ length }) => length === 1,
        );
        socket.destroy();
      });
    });
  });

  it('a file that is broken inside fails for good, and the worker goes on', async () => {
    const whole = await noise(200, 150).png().toBuffer();
    const job = await finished(await accepted(whole.subarray(0, whole.length / 2)));
    expect(job).toMatchObject({ state: 'failed', attempt: 1, error: { code: 'refused_by_handler' } });
    expect(job.error.message).toMatch(/^The image cannot be read: /);
    expect(await finished(await accepted(whole))).toMatchObject({ state: 'completed' });
  });

  it('a repeated key: one job, one upload; another image under it is refused', async () => {
    const file = await plain(40, 30).png().toBuffer();
    const before = uploads().length;
    const first = await send(file, { key: 'the-key', options: '{"delayMs":1}' });
    const again = await send(file, { key: 'the-key', options: '{ "delayMs": 1 }', name: 'renamed.png' });
    expect([again.status, again.headers['idempotency-replayed'], again.body]).toEqual([202, 'true', first.body]);
    const other = await send(await plain(41, 30).png().toBuffer(), { key: 'the-key', options: '{"delayMs":1}' });
    expect([other.status, other.body.code]).toEqual([422, 'idempotency_key_reused']);
    expect(uploads()).toHaveLength(before + 1);
    expect(await finished(first.body.id)).toMatchObject({ state: 'completed' });
  });

  it('a worker killed half way is followed by one that writes the same files over', async () => {
    const id = await accepted(await noise(500, 400).jpeg().toBuffer());
    await until(
      'some variants are there',
      () => Promise.resolve(existsSync(join(folder, 'images', id)) ? [...variantsOf(id).keys()] : []),
      (names) => names.length >= 1,
      60_000,
    );
    await system.end('image-worker', 'SIGKILL');
    const half = variantsOf(id);
    expect((await read(id)).state).toBe('active');
    // This one dies as soon as the work is committed, and before its message is acknowledged.
    const { killed } = await system.launchDoomed('image-worker', 'image-worker', { FAIL_POINT: 'handled:1' });
    await killed;
    await system.launch('image-worker');
    expect(await finished(id)).toMatchObject({ state: 'completed', attempt: 2 });
    const whole = variantsOf(id);
    expect([...whole.keys()].sort()).toEqual(fileNames);
    for (const [name, bytes] of half) expect([name, bytes.equals(whole.get(name)!)]).toEqual([name, true]);
    const { rows } = await system.pool.query('SELECT name FROM file WHERE job_id = $1 ORDER BY name', [id]);
    expect(rows.map(({ name }) => name)).toEqual(fileNames);
    expect(unfinished().length).toBeLessThanOrEqual(1);
  });
});

function binary(response: supertest.Response, done: (error: Error | null, body: Buffer) => void): void {
  const chunks: Buffer[] = [];
  response.on('data', (chunk: Buffer) => chunks.push(chunk));
  response.on('end', () => done(null, Buffer.concat(chunks)));
}

/** A square of one bit for each pixel, written by hand: whoever encodes one has it in memory. */
function blackPng(side: number): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(side, 0);
  header.writeUInt32BE(side, 4);
  header.writeUInt8(1, 8);
  const rows = deflateSync(Buffer.alloc(side * (1 + Math.ceil(side / 8))));
  const chunk = (type: string, data: Buffer) => {
    const body = Buffer.concat([Buffer.from(type), data]);
    const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
    length.writeUInt32BE(data.length);
    sum.writeUInt32BE(crc32(body));
    return Buffer.concat([length, body, sum]);
  };
  const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
  return Buffer.concat([signature, chunk('IHDR', header), chunk('IDAT', rows), chunk('IEND', Buffer.alloc(0))]);
}
