/** The entry of a package in package-lock.json. */
interface LockedPackage {
  readonly version: string;
  readonly license?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
}

export type LockedPackages = Readonly<Record<string, LockedPackage>>;

export interface ShippedPackage {
  readonly name: string;
  readonly version: string;
  /** An SPDX expression. */
  readonly license: string;
}

/** Licences that package.json omits or names in a non-standard way, from the package's own files. */
const licensesOfFiles: Readonly<Record<string, string>> = {
  'MIT/X11': 'MIT',
  'busboy@1.6.0': 'MIT',
  'png-js@2.0.0': 'MIT',
  'streamsearch@1.1.0': 'MIT',
  // By the author of binary and chainsaw, for which it was written; the package itself names no licence.
  'buffers@0.1.1': 'none named',
};

/**
 * Finds all packages that are installed for the named ones: their dependencies (also the optional ones of every
 * platform), and the peers that npm installs with them.
 * @param roots names of direct dependencies
 * @throws Error for a package with an unknown licence
 */
export function shippedWith(packages: LockedPackages, roots: readonly string[]): ShippedPackage[] {
  const found = new Map<string, ShippedPackage>();
  const visit = (from: string, name: string, isOptional: boolean): void => {
    const path = resolve(packages, from, name);
    if (path === undefined) {
      if (isOptional) return;
      throw new Error(`Expected ${name} in package-lock.json, which ${from || 'package.json'} needs.`);
    }
    if (found.has(path)) return;
    const locked = packages[path]!;
    found.set(path, { name, version: locked.version, license: licenseOf(name, locked) });
    const { dependencies = {}, optionalDependencies = {}, peerDependencies = {}, peerDependenciesMeta = {} } = locked;
    for (const each of Object.keys(dependencies)) visit(path, each, each in optionalDependencies);
    for (const each of Object.keys(optionalDependencies)) visit(path, each, true);
    for (const each of Object.keys(peerDependencies)) {
      if (peerDependenciesMeta[each]?.optional !== true) visit(path, each, true);
    }
  };
  for (const root of roots) visit('', root, false);
  return [...found.values()];
}

/** Resolves as Node does: in the package's own node_modules, then in those of the folders above. */
function resolve(packages: LockedPackages, from: string, name: string): string | undefined {
  for (let folder = from; ; folder = folder.slice(0, Math.max(folder.lastIndexOf('/node_modules/'), 0))) {
    const path = `${folder && `${folder}/`}node_modules/${name}`;
    if (packages[path]) return path;
    if (folder === '') return undefined;
  }
}

function licenseOf(name: string, { version, license }: LockedPackage): string {
  const known = licensesOfFiles[`${name}@${version}`] ?? (license && (licensesOfFiles[license] ?? license));
  if (!known)
    throw new Error(`${name} ${version} names no licence: look into its files, and add it to licensesOfFiles.`);
  return known;
}
