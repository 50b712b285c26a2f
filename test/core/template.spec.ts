import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { projectFolder } from '../support/postgres';

interface LockedPackage {
  readonly version: string;
  readonly integrity?: string;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const script = join(projectFolder, 'dist/scripts/template/main.js');
const read = (folder: string, path: string) => readFileSync(join(folder, path), 'utf8');
const lockIn = (folder: string) =>
  (JSON.parse(read(folder, 'package-lock.json')) as { packages: Record<string, LockedPackage> }).packages;

describe('npm run template', () => {
  const folder = mkdtempSync(join(tmpdir(), 'template-'));

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const run = (...args: string[]) => promisify(execFile)(process.execPath, [script, ...args]);

  describe('with email, BullMQ and no web client', () => {
    const target = join(folder, 'smallest');
    let said: string;

    beforeAll(async () => {
      said = (await run(target, '--jobs', 'email', '--no-web', '--name', 'my-service')).stdout;
    });

    it('says what it kept and what to do next', () => {
      expect(said).toMatch(/^\d+ files, \d+ lines of code, \d+ dependencies and \d+ for development\.$/m);
      expect(said).toContain('npm ci && npm start');
    });

    it('has no folder of another part, and lists none', () => {
      expect(readdirSync(join(target, 'apps')).sort()).toEqual(['api', 'email-worker', 'relay']);
      expect(readdirSync(join(target, 'libs/features')).sort()).toEqual(['catalogue', 'email']);
      expect(readdirSync(join(target, 'libs/messaging/src/drivers'))).not.toContain('kafka');
      for (const list of ['libs/features/catalogue/catalogue.ts', 'apps/api/src/features.ts', 'nest-cli.json']) {
        expect([list, /sms|report|image|product|webhook|storage/i.exec(read(target, list))]).toEqual([list, null]);
      }
      expect(read(target, 'docker-compose.yml')).not.toMatch(/kafka|rabbitmq|sms|S3_/i);
      expect(read(target, '.env.example')).not.toMatch(/KAFKA_|RABBITMQ_|SMS_|S3_|WEBHOOK_/);
      expect(read(target, 'package.json')).not.toMatch(/kafkajs|amqplib|sharp|exceljs|react"|client-s3|vite/);
    });

    it('has its name', () => {
      expect(JSON.parse(read(target, 'package.json'))).toMatchObject({ name: 'my-service' });
      expect(read(target, 'README.md')).toMatch(/^# my-service$/m);
    });

    it('has the same versions of its packages, those of every platform', () => {
      const [whole, left] = [lockIn(projectFolder), lockIn(target)];
      const paths = Object.keys(left).filter((path) => path !== '');
      expect(paths.length).toBeLessThan(Object.keys(whole).length * 0.9);
      for (const path of paths) {
        expect([path, left[path]!.version, left[path]!.integrity]).toEqual([
          path,
          whole[path]!.version,
          whole[path]!.integrity,
        ]);
      }
      const missing = paths.flatMap((path) =>
        Object.keys(left[path]!.optionalDependencies ?? {}).filter(
          (name) => !left[`node_modules/${name}`] && !left[`${path}/node_modules/${name}`],
        ),
      );
      expect(missing).toEqual([]);
    });

    it('is not written over', async () => {
      await expect(run(target, '--jobs', 'email', '--no-web')).rejects.toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/^\S+smallest is not an empty folder: choose another one\.\n$/),
      });
    });
  });

  it.each([
    ['an unknown job', ['--jobs', 'letter', '--no-web'], /^--jobs: expected some of .*, got "letter"\.\n$/],
    ['an unknown option', ['--jobs', 'email', '--job', 'sms'], /^Unknown option '--job'\. npm run template .*\n$/],
    ['no jobs', [], /^Expected one folder and the jobs: npm run template .*\n$/],
    ['a name that is none', ['--jobs', 'email', '--name', 'My Service'], /^--name: expected .*\n$/],
  ])('refuses %s in one sentence, and leaves nothing', async (_, args, message) => {
    await expect(run(join(folder, 'refused'), ...args)).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(message),
    });
    expect(existsSync(join(folder, 'refused'))).toBe(false);
  });
});
