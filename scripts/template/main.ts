import '../../libs/configuration/src/check-node.cjs';
import { readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { assertEmpty, planTemplate, writeTemplate } from './make-template';
import { TemplateRefused } from './template-refused';

const projectFolder = join(__dirname, '../../..');
const usage =
  'npm run template -- DIR --jobs email[,sms,…] [--brokers bullmq[,rabbitmq,kafka]] [--no-web] [--name my-service]';

async function main(): Promise<void> {
  const { target, wish, name } = readArguments(process.argv.slice(2));
  assertEmpty(target);
  const template = await planTemplate(projectFolder, wish, name);
  writeTemplate(projectFolder, target, template);
  const { dependencies, devDependencies } = JSON.parse(readFileSync(join(target, 'package.json'), 'utf8')) as Record<
    'dependencies' | 'devDependencies',
    object
  >;
  const code = [...template.files].filter(([path]) => /\.(m?tsx?|mjs|css)$/.test(path));
  const lines = code.reduce((sum, [, text]) => sum + String(text).split('\n').length - 1, 0);
  process.stdout.write(`${target}
${template.files.size} files, ${lines} lines of code, ${Object.keys(dependencies).length} dependencies and ${Object.keys(devDependencies).length} for development.

  cd ${quoted(relative(process.cwd(), target) || '.')}
  git init && git add -A && git commit -m 'Begin'
  npm ci && npm start

docs/your-first-job.md says how to add a job of your own.
`);
}

const quoted = (path: string) => (/^[\w./-]+$/.test(path) ? path : `'${path.replaceAll("'", `'\\''`)}'`);

function readArguments(args: readonly string[]) {
  const { values, positionals } = parse(args);
  const [folder, ...others] = positionals;
  if (folder === undefined || others.length > 0 || values.jobs === undefined) {
    throw new TemplateRefused(`Expected one folder and the jobs: ${usage}`);
  }
  const { name } = values;
  if (name !== undefined && !/^[a-z][a-z0-9-]{0,60}$/.test(name)) {
    throw new TemplateRefused(`--name: expected a to z, 0 to 9 and dashes, got "${name}".`);
  }
  const list = (text: string) => [...new Set(text.split(',').map((one) => one.trim()))].filter((one) => one !== '');
  const { INIT_CWD: from = process.cwd() } = process.env;
  return {
    target: resolve(from, folder),
    wish: { jobs: list(values.jobs), brokers: list(values.brokers), web: !values['no-web'] },
    name,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        jobs: { type: 'string' },
        brokers: { type: 'string', default: 'bullmq' },
        'no-web': { type: 'boolean', default: false },
        name: { type: 'string' },
      },
    });
  } catch (error) {
    throw new TemplateRefused(`${(error as Error).message.split('. ')[0]}. ${usage}`);
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof TemplateRefused ? error.message : String((error as Error).stack)}\n`);
  process.exitCode = 1;
});
