import { appendFileSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ProjectCopy } from '../support/project-copy';

const program = 'dist/scripts/new-job/main.js';
const testRunner = 'node_modules/jest/bin/jest.js';

describe('npm run new:job', () => {
  let copy: ProjectCopy;

  beforeAll(() => {
    copy = new ProjectCopy();
    copy.node('scripts/build.mjs');
  });

  afterAll(() => copy.remove());

  const newJob = (...args: string[]) => copy.run(process.execPath, [program, ...args]);
  const changes = () => copy.git('status', '--porcelain', '--untracked-files=all').split('\n').filter(Boolean).sort();

  it.each<[args: string, reason: string]>([
    ['', 'Expected npm run new:job -- invoice.generate [--broker BROKER] [--worker WORKER]; got 0 names.'],
    ['invoice.generate more', '; got 2 names.'],
    ['invoice.generate --brokr kafka', "; Unknown option '--brokr'."],
    ['invoice', 'Expected a name such as invoice.generate: noun.verb in lower case, at most 40 characters each; got'],
    ['Invoice.generate', '; got "Invoice.generate".'],
    ['invoice.generate.now', '; got "invoice.generate.now".'],
    ['../invoice.generate', '; got "../invoice.generate".'],
    [`${'x'.repeat(41)}.make`, 'at most 40 characters each'],
    ['invoice.generate --broker nats', 'Expected --broker to be bullmq, rabbitmq or kafka, got "nats".'],
    ['invoice.generate --broker memory', 'got "memory".'],
    ['invoice.generate --worker api', 'Expected --worker to be one of email-worker, '],
    ['email.send', 'The kind email.send exists already.'],
    ['product.changed', 'The kind product.changed exists already.'],
    ['email.forward', 'The feature libs/features/email exists already: add a second kind to it by hand.'],
    ['sync.start', 'The queue sync exists already: it belongs to sync.run.'],
    ['file.copy', 'The route /v1/files exists already: libs/storage/routes/files.controller.ts has it.'],
    ['body.job', 'The name body.job is used by the code around it: choose another name.'],
  ])('refuses "%s" in one sentence and writes nothing', (args, reason) => {
    const { status, stdout, stderr } = newJob(...args.split(' ').filter(Boolean));
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(/^[^\n]+\n$/);
    expect(stderr).toContain(reason);
    expect(changes()).toEqual([]);
  });

  it('refuses a folder with changes that git does not hold, and a folder without git', () => {
    writeFileSync(join(copy.folder, 'a note'), '');
    expect(newJob('invoice.generate').stderr).toMatch(/^Expected no change .*: commit or stash ".*a note.*"\.\n$/);
    rmSync(join(copy.folder, 'a note'));
    const git = join(copy.folder, '.git');
    copy.run('mv', [git, `${git}-away`]);
    expect(newJob('invoice.generate').stderr).toMatch(/^Expected a git repository [^\n]*\n$/);
    copy.run('mv', [`${git}-away`, git]);
    expect(changes()).toEqual([]);
  });

  it.each<[title: string, obstruct: (path: string) => void, reason: RegExp]>([
    ['is a folder', (path) => mkdirSync(path), /^apps\/email-worker\S+ exists already\.\n$/],
    ['cannot be written', (path) => symlinkSync('/nowhere/file', path), /^ENOENT[^\n]+\n$/],
  ])('leaves nothing behind when one of the files %s', (_, obstruct, reason) => {
    const file = join(copy.folder, 'apps/email-worker/src/generate-invoice.handler.ts');
    obstruct(file);
    appendFileSync(join(copy.folder, '.git/info/exclude'), 'generate-invoice.handler.ts\n');
    const { status, stdout, stderr } = newJob('invoice.generate', '--worker', 'email-worker');
    rmSync(file, { recursive: true });
    writeFileSync(join(copy.folder, '.git/info/exclude'), 'node_modules\n');
    expect([status, stdout]).toEqual([1, '']);
    expect(stderr).toMatch(reason);
    expect(changes()).toEqual([]);
  });

  describe('with a worker of its own', () => {
    beforeAll(() => {
      const { status, stdout, stderr } = newJob('invoice.generate', '--broker', 'rabbitmq');
      expect([status, stderr]).toEqual([0, '']);
      for (const change of changes()) expect(stdout).toContain(change.slice(3));
    });

    it('writes these files and no others', () => {
      expect(changes()).toEqual([
        ' M apps/api/src/features.ts',
        ' M docker-compose.yml',
        ' M libs/features/catalogue/catalogue.ts',
        ' M nest-cli.json',
        ' M test/e2e/tenants.spec.ts',
        '?? apps/invoice-worker/src/config.ts',
        '?? apps/invoice-worker/src/generate-invoice.handler.spec.ts',
        '?? apps/invoice-worker/src/generate-invoice.handler.ts',
        '?? apps/invoice-worker/src/main.ts',
        '?? docs/jobs/invoice.md',
        '?? libs/features/invoice/generate-invoice.spec.ts',
        '?? libs/features/invoice/generate-invoice.ts',
        '?? libs/features/invoice/index.ts',
        '?? libs/features/invoice/part.json',
        '?? libs/features/invoice/routes/index.ts',
        '?? libs/features/invoice/routes/invoices.controller.ts',
        '?? test/e2e/invoice.spec.ts',
      ]);
    });

    it('writes each file as docs/your-first-job.md shows it, except the page of the job', () => {
      const page = readFileSync(join(copy.folder, 'docs/your-first-job.md'), 'utf8');
      const shown = new Map(
        [...page.matchAll(/^\*\*`([^`]+)`\*\*\n\n```\w+\n(.*?)^```$/gms)].map(([, path, text]) => [path!, text!]),
      );
      for (const change of changes()) {
        const path = change.slice(3);
        if (path === 'docs/jobs/invoice.md') continue;
        const added = (text = '') => text.split('\n').filter((line) => /^\+(?!\+\+)/.test(line));
        if (change.startsWith('??')) expect(shown.get(path)).toBe(readFileSync(join(copy.folder, path), 'utf8'));
        else expect([path, added(shown.get(path))]).toEqual([path, added(copy.git('diff', '--', path))]);
      }
    });

    it('is undone by git', () => {
      copy.git('stash', '--quiet', '--include-untracked');
      expect(changes()).toEqual([]);
      copy.git('stash', 'pop', '--quiet');
    });
  });

  // One build and one check for both: a new kind, and a second one in the worker of another.
  it('type-checks, is in the form of Prettier, builds, and passes its own tests and those of the lists', () => {
    copy.commit('The first kind');
    expect(newJob('credit-note.send', '--broker', 'kafka', '--worker', 'email-worker').status).toBe(0);
    expect(changes()).toContain('?? apps/email-worker/src/send-credit-note.handler.ts');
    expect(copy.git('diff', '--name-only', '--', 'apps', 'docker-compose.yml').split('\n').filter(Boolean)).toEqual([
      'apps/api/src/features.ts',
      'apps/email-worker/src/main.ts',
    ]);
    copy.commit('A second kind');

    copy.node('node_modules/typescript/bin/tsc', '--noEmit');
    const files = copy.git('diff', '--name-only', 'HEAD~2').split('\n').filter(Boolean);
    copy.node('node_modules/prettier/bin/prettier.cjs', '--check', ...files);
    copy.node('scripts/build.mjs');
    const tests = [
      ...['apps/invoice-worker', 'apps/email-worker', 'libs/features/invoice', 'libs/features/credit-note'],
      ...['scripts/docs', 'scripts/compose', 'document.spec'],
    ];
    const { stderr } = copy.run(process.execPath, [testRunner, ...tests, '--selectProjects', 'unit', '--runInBand']);
    for (const file of [
      'apps/invoice-worker/src/generate-invoice.handler.spec.ts',
      'libs/features/invoice/generate-invoice.spec.ts',
      'apps/email-worker/src/send-credit-note.handler.spec.ts',
      'libs/features/credit-note/send-credit-note.spec.ts',
      'scripts/docs/pages.spec.ts',
      'scripts/compose.spec.ts',
      'apps/api/src/asyncapi/document.spec.ts',
    ]) {
      expect(stderr).toContain(`PASS unit ${file}`);
    }
    expect(stderr).toMatch(/Test Suites: (\d+) passed, \1 total/);
  });

  it('completes the new job on its broker when its worker is killed, as its own test says', () => {
    // The nested run takes the servers that this run has started.
    const test = [testRunner, 'test/e2e/invoice.spec.ts', '--selectProjects', 'e2e', '--runInBand'];
    const { status, stderr } = copy.run(process.execPath, test);
    expect([status, stderr]).toEqual([0, expect.stringContaining('PASS e2e test/e2e/invoice.spec.ts')]);
  });
});
