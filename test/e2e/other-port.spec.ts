import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../scripts/postgres/free-port';
import { projectFolder } from '../support/postgres';
import { until } from '../support/until';

describe('with PORT set to the port of the API', () => {
  const server = createServer((request, response) => {
    const document = { openapi: '3.1.0', info: { title: 'A', version: '1' }, paths: {}, asked: request.url };
    response.setHeader('content-type', 'application/json').end(JSON.stringify(document));
  });
  let PORT: string;

  beforeAll(async () => {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    PORT = String((server.address() as AddressInfo).port);
  });

  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });

  const environment = () => ({ PATH: process.env['PATH'], HOME: process.env['HOME'], PORT });

  it('npm run web forwards requests to the API', async () => {
    const port = await freePort();
    const args = [
      join(projectFolder, 'node_modules/vite/bin/vite.js'),
      'apps/web',
      '--port',
      String(port),
      '--host',
      '127.0.0.1',
    ];
    const vite = spawn(process.execPath, args, { cwd: projectFolder, env: environment(), stdio: 'ignore' });
    try {
      const answer = await until(
        'the dev server answers',
        () => fetch(`http://127.0.0.1:${port}/v1/brokers`).catch(() => undefined),
        (response) => response !== undefined,
        60_000,
      );
      expect(await answer!.json()).toMatchObject({ asked: '/v1/brokers' });
    } finally {
      vite.kill();
      if (vite.exitCode === null && vite.signalCode === null) await once(vite, 'exit');
    }
  });

  it('npm run web:types reads the OpenAPI document of the API', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'types-'));
    const output = join(folder, 'schema.d.ts');
    const generator = spawn(process.execPath, ['scripts/web-types.mjs', output], {
      cwd: projectFolder,
      env: environment(),
    });
    expect(await once(generator, 'exit')).toEqual([0, null]);
    expect(readFileSync(output, 'utf8')).toContain('export type paths');
    rmSync(folder, { recursive: true });
  });

  it('npm run web:types says in one sentence that no API answers', async () => {
    const { status, stderr } = spawnSync(process.execPath, ['scripts/web-types.mjs'], {
      cwd: projectFolder,
      env: { ...environment(), PORT: String(await freePort()) },
      encoding: 'utf8',
    });
    expect(status).toBe(1);
    expect(stderr).toMatch(
      /^Expected the API at http:\/\/127\.0\.0\.1:\d+\/docs-json, got no document there\. [^\n]+\n$/,
    );
  });
});
