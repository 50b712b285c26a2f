import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { readApps, settingNamesOf } from '../../scripts/start/apps';
import { projectFolder } from '../support/postgres';
import { TestSystem } from '../support/system';

/** Large libraries that a process without these brokers, a bucket and a collector never uses. */
const ofSettings = [
  'amqplib',
  '@golevelup/nestjs-rabbitmq',
  'kafkajs',
  '@aws-sdk/client-s3',
  '@opentelemetry/sdk-trace-node',
];
/** Large libraries that are loaded by the first job, the first image or the first report. */
const ofJobs = ['query_compiler_fast_bg', 'exceljs', 'pdfkit', 'sharp'];
const ofApi = ['@nestjs/swagger', '@nestjs/platform-express', '@bull-board/api', 'express', 'multer'];

const apps = readApps(projectFolder);

describe('a process that has started and has done nothing yet', () => {
  let system: TestSystem;

  beforeAll(async () => {
    system = await TestSystem.start({
      apps: apps.map(({ name }) => name),
      environment: {
        NODE_OPTIONS: `--require ${JSON.stringify(join(projectFolder, 'test/support/loaded-packages.cjs'))}`,
      },
    });
  });

  afterAll(() => system.stop());

  async function packagesOf(name: string): Promise<string[]> {
    const child = system.processes.get(name)!;
    const answer = once(child, 'message') as Promise<[{ packages: string[] }]>;
    child.send('packages');
    return (await answer)[0].packages;
  }

  it.each(apps.map(({ name }) => name))('%s has loaded no large library that it does not use', async (name) => {
    const packages = await packagesOf(name);
    expect(packages).toContain('@nestjs/core');
    const unused = [...ofSettings, ...ofJobs, ...(name === 'api' ? [] : ofApi)];
    expect(packages.filter((one) => unused.includes(one))).toEqual([]);
  });
});

it('the list of the settings of a process loads neither Nest, nor Prisma, nor the client of a broker', () => {
  expect(apps.flatMap(settingNamesOf)).toContain('DATABASE_URL');
  const script = `for (const config of ${JSON.stringify(apps.map(({ config }) => config))}) require(config);
    console.log(Object.keys(require.cache).join('\\n'))`;
  const loaded = execFileSync(process.execPath, ['-e', script], { encoding: 'utf8' });
  expect(loaded).toContain(join('node_modules', 'zod'));
  expect(loaded).not.toMatch(/node_modules.(@nestjs|@prisma|bullmq|ioredis)/);
});
