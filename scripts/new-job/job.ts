import {
  apply,
  applyTemplates,
  chain,
  filter,
  mergeWith,
  move,
  noop,
  SchematicsException,
  url,
  type Rule,
  type Tree,
} from '@angular-devkit/schematics';
import * as prettier from 'prettier';
import { requestableBrokers } from '@app/contracts';
import { eventDefinitions, jobDefinitions } from '@app/features/catalogue';
import { addEntry, addImport, addItem, insert } from './edit-source';
import { jobNames, type JobNames } from './names';

export interface JobOptions {
  readonly name: string;
  readonly broker: string;
  /** An app that exists, for the handler. Without it, the kind gets an app of its own. */
  readonly worker?: string | undefined;
}

/** The factory of the schematic. Nothing is written to the disk before all rules have passed. */
export function job({ name, broker, worker }: JobOptions): Rule {
  return (tree) => {
    const names = jobNames(name);
    if (!names) {
      throw new SchematicsException(
        `Expected a name such as invoice.generate: noun.verb in lower case, at most 40 characters each; got "${name}".`,
      );
    }
    const app = worker ?? `${names.noun}-worker`;
    checkFree(tree, names);
    checkBroker(tree, broker);
    if (worker === undefined) refuseExisting(tree, `apps/${app}`);
    else checkWorker(tree, worker);

    const values = { ...names, app, broker, hasOwnApp: worker === undefined, needs: partsWith(tree, worker) };
    return chain([
      mergeWith(apply(url('./files'), [filter(hasUse(tree)), applyTemplates(values), move('/')])),
      worker === undefined ? mergeWith(apply(url('./worker-files'), [applyTemplates(values), move('/')])) : noop(),
      edit('libs/features/catalogue/catalogue.ts', (source) =>
        addItem(
          addImport(source, names.definition, `@app/features/${names.noun}`),
          'jobDefinitions: readonly JobDefinition[] = [',
          names.definition,
        ),
      ),
      edit('apps/api/src/features.ts', (source) =>
        addItem(
          addImport(source, names.routes, `@app/features/${names.noun}/routes`),
          'const features: readonly (FeatureRoutes | ((settings: FeatureSettings) => FeatureRoutes))[] = [',
          names.routes,
        ),
      ),
      edit('nest-cli.json', (source) => withProjects(source, names, worker === undefined ? app : undefined)),
      worker === undefined
        ? edit('docker-compose.yml', (source) => insert(source, source.search(/^volumes:/m), serviceOf(app)))
        : edit(`apps/${worker}/src/main.ts`, (source) => withHandler(source, names)),
      tree.exists(tenantTest) ? edit(tenantTest, (source) => withTenantTest(source, names, app)) : noop(),
      format,
    ]);
  };
}

/** A project that was cut down cannot be cut down again, and needs no part.json. */
const hasUse = (tree: Tree) => (path: string) =>
  !path.endsWith('/part.json.template') ||
  tree.getDir('libs/features').subdirs.some((name) => tree.exists(`libs/features/${name}/part.json`));

const tenantTest = 'test/e2e/tenants.spec.ts';

/** Names that folders and routes, or the files of the new kind, use for something else. */
const usedNouns = new Set(['routes', 'event']);
const usedNames = new Set(['jobBody', 'storableText', 'runJob']);

function checkFree(tree: Tree, { kind, noun, plural, definition }: JobNames): void {
  for (const { kind: other } of [...jobDefinitions, ...eventDefinitions]) {
    if (other === kind) throw new SchematicsException(`The kind ${kind} exists already.`);
  }
  if (usedNouns.has(noun) || usedNames.has(definition)) {
    throw new SchematicsException(`The name ${kind} is used by the code around it: choose another name.`);
  }
  const folder = `libs/features/${noun}`;
  if (tree.exists(`${folder}/index.ts`)) {
    throw new SchematicsException(`The feature ${folder} exists already: add a second kind to it by hand.`);
  }
  const other = jobDefinitions.find(({ queue }) => queue === noun);
  if (other) throw new SchematicsException(`The queue ${noun} exists already: it belongs to ${other.kind}.`);
  for (const path of [folder, `docs/jobs/${noun}.md`, `test/e2e/${noun}.spec.ts`]) refuseExisting(tree, path);
  for (const root of ['apps/api/src', 'libs']) {
    tree.getDir(root).visit((path) => {
      if (!path.endsWith('.controller.ts')) return;
      const [, route] = new RegExp(`@Controller\\('(v1/${plural})['/]`).exec(tree.readText(path)) ?? [];
      if (route) throw new SchematicsException(`The route /${route} exists already: ${path.slice(1)} has it.`);
    });
  }
}

function refuseExisting(tree: Tree, path: string): void {
  const { subfiles, subdirs } = tree.exists(path) ? { subfiles: [path], subdirs: [] } : tree.getDir(path);
  if (subfiles.length + subdirs.length > 0) throw new SchematicsException(`${path} exists already.`);
}

function checkBroker(tree: Tree, broker: string): void {
  const known = requestableBrokers.filter(
    (name) => tree.getDir(`libs/messaging/src/drivers/${name}`).subfiles.length > 0,
  );
  if (known.some((name) => name === broker)) return;
  const [only, ...others] = known;
  throw new SchematicsException(
    others.length === 0
      ? `Expected no --broker, because this project has only ${only}, got "${broker}".`
      : `Expected --broker to be ${known.join(', ').replace(/, (?=\w+$)/, ' or ')}, got "${broker}".`,
  );
}

function checkWorker(tree: Tree, worker: string): void {
  const workers = tree.getDir('apps').subdirs.filter((name) => name.endsWith('-worker'));
  if (workers.some((name) => name === worker)) return;
  throw new SchematicsException(`Expected --worker to be one of ${workers.join(', ')}, got "${worker}".`);
}

/**
 * The parts whose part.json lists the worker. The new job needs all of them: a project without one of these parts does
 * not have the worker.
 */
function partsWith(tree: Tree, worker: string | undefined): string[] {
  return tree.getDir('libs/features').subdirs.flatMap((name) => {
    const path = `libs/features/${name}/part.json`;
    if (worker === undefined || !tree.exists(path)) return [];
    const { services = [] } = tree.readJson(path) as { services?: string[] };
    return services.includes(worker) ? [name] : [];
  });
}

function withProjects(source: string, { noun }: JobNames, app: string | undefined): string {
  const cli = JSON.parse(source) as { projects: Record<string, object> };
  if (app !== undefined) {
    const root = `apps/${app}`;
    cli.projects[app] = { type: 'application', root, sourceRoot: `${root}/src`, entryFile: 'main' };
  }
  const root = `libs/features/${noun}`;
  cli.projects[`feature-${noun}`] = { type: 'library', root, sourceRoot: root };
  return JSON.stringify(cli, null, 2);
}

function serviceOf(app: string): string {
  return `  ${app}:\n    <<: *app\n    command: [node, dist/apps/${app}/src/main.js]\n\n`;
}

function withHandler(source: string, { noun, definition, file, title }: JobNames): string {
  const handler = `${title}Handler`;
  const imported = addImport(addImport(source, definition, `@app/features/${noun}`), handler, `./${file}.handler`);
  return addItem(addItem(imported, 'jobs: [', definition), 'providers: [', handler);
}

/** The test that demands each route and each kind by name, so that none shows a tenant what another one has. */
function withTenantTest(source: string, { kind, noun, plural, definition }: JobNames, app: string): string {
  const body = `${definition}Example`;
  const route = `'POST /v1/${plural}': keyed((headers) => system.post('/v1/${plural}', ${body}, headers))`;
  const run = `'${kind}': async () => {
    const { body } = await ask('POST', '/v1/${plural}', rival, ${body});
    expect(await finished('rival', body.id)).toMatchObject({ state: 'completed' });
  }`;
  const imported = addImport(source, body, `@app/features/${noun}`);
  const tested = source.includes(`'${app}'`) ? imported : addItem(imported, 'apps: [', `'${app}'`);
  return addEntry(
    addEntry(tested, 'const routes: Record<string, Route> = {', route),
    'const kinds: Record<string, () => Promise<void>> = {',
    run,
  );
}

function edit(path: string, change: (source: string) => string): Rule {
  return (tree) => tree.overwrite(path, change(tree.readText(path)));
}

/**
 * Formats every written file with Prettier. Line breaks depend on the length of the job's name, so the templates cannot
 * set them.
 */
const format: Rule = async (tree) => {
  for (const action of tree.actions) {
    const path = action.path.slice(1);
    const text = await prettier.format(tree.readText(path), {
      ...(await prettier.resolveConfig(path)),
      filepath: path,
    });
    tree.overwrite(path, text);
  }
};
