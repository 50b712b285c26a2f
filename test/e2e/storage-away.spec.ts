import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import sharp from 'sharp';
import supertest from 'supertest';
import { freePort } from '../../scripts/postgres/free-port';
import { FileLinks } from '../../libs/storage/routes/file-links';
import { signingKey } from '../../libs/http/src/access/signing-key';
import { TestSystem } from '../support/system';

const secret = 'a secret of the test, long enough';
const links = new FileLinks(signingKey('file link', [], secret));
const report = 'reports/one/orders.csv';

let system: TestSystem;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'storage-away-'));
  system = await TestSystem.start({ apps: ['api'], environment: { STORAGE_DIR: folder, SIGNING_SECRET: secret } });
  // Nothing listens there.
  const s3 = { S3_ENDPOINT: `http://127.0.0.1:${await freePort()}`, S3_BUCKET: 'files' };
  await system.launch('api', 'api-s3', { ...s3, S3_ACCESS_KEY_ID: 'a', S3_SECRET_ACCESS_KEY: 'b' });
  for (const name of readdirSync(folder)) rmSync(join(folder, name), { recursive: true });
  // Root may write wherever it likes: so the folder of unfinished files is a file, and that of reports leads to itself.
  writeFileSync(join(folder, '.unfinished'), '');
  mkdirSync(join(folder, 'reports'));
  symlinkSync('one', join(folder, 'reports', 'one'));
});

afterAll(async () => {
  await system.stop();
  rmSync(folder, { recursive: true });
});

const away = {
  status: 503,
  retryAfter: '5',
  type: 'application/problem+json; charset=utf-8',
  code: 'storage_unavailable',
};

const seen = ({ status, headers, body }: supertest.Response) => ({
  status,
  retryAfter: headers['retry-after'],
  type: headers['content-type'],
  code: body.code,
});

describe.each([
  ['a folder that cannot be used', 'api'],
  ['an S3 that is away', 'api-s3'],
])('%s', (_, name) => {
  it('an upload is a 503 that says when to come back, keeps no job, and names no path and no address', async () => {
    const image = await sharp({ create: { width: 8, height: 8, channels: 3, background: '#36c' } })
      .png()
      .toBuffer();
    const answer = await supertest(system.url(name)).post('/v1/images').attach('file', image, 'photo.png');
    expect(seen(answer)).toEqual(away);
    expect(answer.text).not.toMatch(/127\.0\.0\.1|storage-away|S3_|STORAGE_DIR/);
    expect(await system.jobsByState()).toEqual({});
    const { rows } = await system.pool.query('SELECT FROM upload');
    expect(rows).toEqual([]);
  });

  it('a download is a 503 that says when to come back', async () => {
    const { rows } = await system.pool.query(
      `INSERT INTO file (tenant, job_id, key, name, content_type, bytes)
       VALUES ('demo', $1, $2, 'orders.csv', 'text/csv', 10) RETURNING id`,
      [randomUUID(), report],
    );
    const answer = await supertest(system.url(name)).get(links.urlOf(rows[0].id));
    expect(seen(answer)).toEqual(away);
  });
});
