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

/** An image that no two tests share and that takes some time to encode. */
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

describe('the image service', () => {
  const folder = mkdtempSync(join(tmpdir(), 'images-'));
  // RabbitMQ, the preferred broker of the definition, if the run has it, and otherwise its replacement.
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

  /** A refused upload leaves no file, no unfinished file and no row. */
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

  it('fails a PNG of 196 megapixels at the first attempt with a reason, and the worker needs little memory', async () => {
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

  it('makes three sizes in three formats of an upload, each with a signed link', async () => {
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

  it('ignores the file name and the declared type of an upload for the path and the format', async () => {
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

  describe('refuses, with a reason, and stores nothing of', () => {
    const tooLarge = Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), Buffer.alloc(10 * 1024 * 1024)]);
    const svg = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>');
    const png = plain(9, 9).png().toBuffer();

    it.each<[string, () => Promise<any>, number, string, RegExp]>([
      ['a form without a file', () => send(undefined, { options: '{}' }), 400, 'file', /expected an image as a file/],
      [
        'a body that is not a form',
        () => supertest(system.url()).post('/v1/images').set(bearer(keys.user)).send({}),
        400,
        'file',
        /multipart/,
      ],
      ['an empty file', () => send(Buffer.alloc(0)), 400, 'file', /without a byte/],
      [
        'a file whose bytes do not match its type',
        () => send(svg, { name: 'a.png', type: 'image/png' }),
        400,
        'file',
        /first bytes match none/,
      ],
      ['a file in another field', async () => send(await png, { field: 'image' }), 400, 'image', /the field "file"/],
      ['two files', async () => send(await png).attach('file', await png, 'second.png'), 400, '', /one file/],
      ['an additional field', async () => send(await png).field('title', 'x'), 400, 'title', /not a field/],
      ['options that are not JSON', async () => send(await png, { options: '{' }), 400, 'options', /object/],
      ['an unknown option', async () => send(await png, { options: '{"size":1}' }), 400, 'options.size', /not a field/],
      [
        'an invalid idempotency key',
        async () => send(await png, { key: 'a b' }),
        400,
        'Idempotency-Key',
        /visible ASCII/,
      ],
      [
        'a broker that is not configured',
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

    it('a form that ends too soon, and one whose sender disconnects', async () => {
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

  it('fails a damaged file at the first attempt, and the worker keeps running', async () => {
    const whole = await noise(200, 150).png().toBuffer();
    const job = await finished(await accepted(whole.subarray(0, whole.length / 2)));
    expect(job).toMatchObject({ state: 'failed', attempt: 1, error: { code: 'refused_by_handler' } });
    expect(job.error.message).toMatch(/^The image cannot be read: /);
    expect(await finished(await accepted(whole))).toMatchObject({ state: 'completed' });
  });

  it('makes one job of a repeated key with the same image, and refuses another image with that key', async () => {
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

  it('overwrites the files of a killed worker with the same bytes', async () => {
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
    // This worker dies as soon as the work is committed and before the message is acknowledged.
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

/** A black square with one bit per pixel, written by hand because an encoder would hold it in memory. */
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
