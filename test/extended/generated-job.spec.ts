import { ProjectCopy } from '../support/project-copy';

/** What `npm run new:job` writes brings its own test: it starts the job's worker, kills it, and looks at the job. */
describe.each(['bullmq', 'rabbitmq', 'kafka'])('a generated job on %s', (broker) => {
  it('completes once when its worker is killed', () => {
    const copy = new ProjectCopy();
    try {
      copy.node('scripts/build.mjs');
      copy.node('dist/scripts/new-job/main.js', 'invoice.generate', '--broker', broker);
      copy.node('scripts/build.mjs');
      const test = ['test/e2e/invoice.spec.ts', '--selectProjects', 'e2e'];
      const { stderr } = copy.run(process.execPath, ['node_modules/jest/bin/jest.js', ...test]);
      expect(stderr).toContain('PASS e2e test/e2e/invoice.spec.ts');
      expect(stderr).toContain('Tests:       2 passed, 2 total');
    } finally {
      copy.remove();
    }
  });
});
