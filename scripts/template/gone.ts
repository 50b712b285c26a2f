import type { Part } from './parts';

/** What a project without some parts no longer has, and how the rest may refer to it. */
export class Gone {
  readonly variables: ReadonlySet<string>;
  readonly services: ReadonlySet<string>;
  readonly dependencies: ReadonlySet<string>;
  /** Headings of pages. */
  readonly sections: ReadonlySet<string>;
  readonly programs: ReadonlySet<string>;
  readonly brokers: ReadonlySet<string>;
  private readonly folders: readonly string[];
  /** Of brokers and of apps. */
  private readonly names: ReadonlySet<string>;
  /** Kinds of jobs and events, and what else tests compare with. */
  private readonly words: ReadonlySet<string>;
  private readonly routes: readonly string[];
  private readonly tables: readonly string[];
  private readonly single = new Set<string>();
  private readonly keptWords: ReadonlySet<string>;

  /**
   * @param leftOut the parts that the project does not have
   * @param kept those that it has; what both need stays
   */
  constructor(leftOut: readonly Part[], kept: readonly Part[]) {
    const only = (list: (part: Part) => readonly string[]) => {
      const stay = new Set(kept.flatMap(list));
      return new Set(leftOut.flatMap(list).filter((name) => !stay.has(name)));
    };
    this.folders = leftOut.flatMap(({ folder, files }) => [folder, ...files]);
    if (leftOut.length > 0) for (const { folder } of kept) this.single.add(`${folder}/part.json`);
    this.variables = only(({ variables }) => variables);
    this.services = only(({ services }) => services);
    this.dependencies = only(({ dependencies }) => dependencies);
    this.sections = only(({ sections }) => sections);
    this.programs = only(({ programs }) => programs);
    this.words = only(({ words }) => words);
    const apps = this.folders.flatMap((path) => /^apps\/([\w-]+-worker)$/.exec(path)?.[1] ?? []);
    this.brokers = new Set(leftOut.filter((part) => part.is === 'broker').flatMap((part) => part.words));
    this.names = new Set([...apps, ...this.brokers]);
    this.keptWords = new Set(
      kept.flatMap(({ name, words, variables, services }) => [name, ...words, ...variables, ...services]),
    );
    this.tables = [...this.words].filter((word) => /^[a-z]+_[a-z_]+$/.test(word));
    this.routes = [...this.words].filter((word) => word.length > 1 && word.startsWith('/'));
  }

  get isNothing(): boolean {
    return this.folders.length === 0;
  }

  /** A file of which nothing is left. */
  addFile(path: string): void {
    this.single.add(path);
  }

  hasPath(path: string): boolean {
    return this.single.has(path) || this.folders.some((folder) => path === folder || path.startsWith(`${folder}/`));
  }

  hasPackage(specifier: string): boolean {
    const [scope, name] = specifier.split('/');
    return this.dependencies.has(specifier.startsWith('@') ? `${scope}/${name}` : scope!);
  }

  /** Whether a text names something that was removed: a path, a broker, an app, a variable. */
  hasName(text: string): boolean {
    const bare = text.replace(/^<rootDir>\//, '').replace(/\/?\*.*$/, '');
    return this.names.has(text) || this.variables.has(text) || this.hasPath(bare);
  }

  /** Whether a word of inline code in a documentation page names something that was removed. */
  hasWord(word: string): boolean {
    return this.variables.has(word) || this.words.has(word) || this.names.has(word);
  }

  /** Whether a word of inline code in a documentation page belongs to a part that is kept. */
  isKept(word: string): boolean {
    return this.keptWords.has(word);
  }

  /** Whether a text of a test uses something that was removed: a name, a kind of job, a route, a table. */
  hasTested(text: string): boolean {
    if (this.hasName(text) || this.words.has(text)) return true;
    // Such as `sms.send.v1`, the type of a message.
    if (this.words.has(text.replace(/\.v\d+.*$/, ''))) return true;
    // Such as `email=kafka` in a setting.
    if (text.split(/[=,]/).some((word) => this.names.has(word))) return true;
    if (this.tables.some((table) => new RegExp(`\\b${table}`).test(text))) return true;
    return this.routes.some((route) => new RegExp(`(^|/v1)${route}($|[/?#\\s])`).test(text));
  }
}
