import { strings } from '@angular-devkit/schematics';

/** `noun.verb`, each of at most 40 characters: the name becomes the name of folders, files, classes and a queue. */
const jobName = /^([a-z][a-z0-9]*(?:-[a-z0-9]+)*)\.([a-z][a-z0-9]*(?:-[a-z0-9]+)*)$/;
const longest = 40;

/** The names of all that belongs to a kind of job. For `invoice.generate`: */
export interface JobNames {
  /** `invoice.generate` */
  readonly kind: string;
  /** `invoice`: the feature, its folder, and the queue */
  readonly noun: string;
  /** `generate-invoice`: the files */
  readonly file: string;
  /** `generateInvoice`: the definition */
  readonly definition: string;
  /** `GenerateInvoice`: the beginning of the class of the handler */
  readonly title: string;
  /** `invoices`: the route, and the file of its controller */
  readonly plural: string;
  /** `Invoices`: the beginning of the class of the controller */
  readonly controller: string;
  /** `invoiceRoutes` */
  readonly routes: string;
  /** `invoiceId`: the field of the payload */
  readonly field: string;
  /** `invoice`, as words in a sentence */
  readonly words: string;
  /** `Generate an invoice` */
  readonly summary: string;
}

/** @returns undefined for a name that is not `noun.verb` in lower case */
export function jobNames(kind: string): JobNames | undefined {
  const [, noun, verb] = jobName.exec(kind) ?? [];
  if (!noun || !verb || noun.length > longest || verb.length > longest) return undefined;
  const plural = pluralOf(noun);
  const words = noun.replaceAll('-', ' ');
  const article = /^[aeiou]/.test(noun) ? 'an' : 'a';
  return {
    kind,
    noun,
    file: `${verb}-${noun}`,
    definition: strings.camelize(`${verb}-${noun}`),
    title: strings.classify(`${verb}-${noun}`),
    plural,
    controller: strings.classify(plural),
    routes: `${strings.camelize(noun)}Routes`,
    field: `${strings.camelize(noun)}Id`,
    words,
    summary: `${strings.capitalize(verb.replaceAll('-', ' '))} ${article} ${words}`,
  };
}

function pluralOf(noun: string): string {
  if (/(s|x|z|ch|sh)$/.test(noun)) return `${noun}es`;
  return /[^aeiou]y$/.test(noun) ? `${noun.slice(0, -1)}ies` : `${noun}s`;
}
