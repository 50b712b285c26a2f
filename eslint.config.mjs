import { readFileSync } from 'node:fs';
import js from '@eslint/js';
import boundaries from 'eslint-plugin-boundaries';
import reactHooks from 'eslint-plugin-react-hooks';
import tseslint from 'typescript-eslint';

const mayImport = (from, ...types) => ({
  from: { element: { type: from } },
  allow: types.map((type) => ({ to: { element: { type } } })),
});

/** Other parts of the app or the feature that a file belongs to. */
const itself = (type) => ({
  from: { element: { type } },
  allow: { to: { element: { type, captured: { name: '{{from.element.captured.name}}' } } } },
});

const core = ['messaging', 'ledger', 'contracts', 'configuration', 'observability'];

const brokers = 'bullmq|rabbitmq|amqp|kafka|redis(?!patch)';
// The project may be called `sms-rabbitmq`: its own name in a text names no broker.
const { name } = JSON.parse(readFileSync(`${import.meta.dirname}/package.json`, 'utf8'));
const namesBroker = `(?!.*\\b${name}\\b).*(${brokers})`;
const noBroker = (selector) => ({
  selector,
  message: 'No broker is named here: policy is the same for all. What one of them needs belongs into its driver.',
});

const noDriver = (regex) => [
  'error',
  {
    patterns: [
      { regex, message: 'No driver is known here: policy is the same for all of them.' },
      { regex: `^(@[^/]+/(nestjs-)?)?(io)?(${brokers})`, message: 'A client library belongs into its driver.' },
    ],
  },
];

export default tseslint.config(
  {
    ignores: [
      'dist/',
      'coverage/',
      '**/generated/',
      '**/node_modules/',
      'apps/web/src/api/schema.d.ts',
      // Its types are those of docs/package.json, which the project does not install.
      'docs/.vitepress/',
    ],
  },
  js.configs.recommended,
  {
    files: ['**/*.ts', '**/*.tsx', '**/*.mts'],
    extends: [...tseslint.configs.strictTypeChecked, ...tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // Numbers in a message read well as they are.
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // Nest modules are classes that hold a decorator.
      '@typescript-eslint/no-extraneous-class': ['error', { allowWithDecorator: true }],
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      // An index that a loop or a check has proved needs no second check.
      '@typescript-eslint/no-non-null-assertion': 'off',
      // process.env and header maps are read by name, whatever their type is called.
      '@typescript-eslint/dot-notation': 'off',
      // Options of Nest and of fetch are classes in their types, and objects in everybody's code.
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      // `||`: an empty variable counts as not set.
      '@typescript-eslint/prefer-nullish-coalescing': ['error', { ignorePrimitives: { string: true } }],
      // `Steps.from<Delivery, void>()`: the type of what a step returns.
      '@typescript-eslint/no-invalid-void-type': 'off',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
    },
  },
  {
    files: ['**/*.spec.ts', 'test/**/*.ts'],
    rules: {
      // An HTTP body is whatever the test says it expects of it.
      '@typescript-eslint/no-explicit-any': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
    },
  },
  {
    files: ['examples/**/*.ts'],
    rules: {
      // A client wants a promise of its handler, whether it has anything to wait for or not.
      '@typescript-eslint/require-await': 'off',
      // kafkajs hands its handlers functions that need no `this`, and types them as methods.
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  {
    // Imports point one way. An app never imports another app.
    files: ['apps/**/*.ts', 'libs/**/*.ts'],
    plugins: { boundaries },
    settings: {
      'boundaries/elements': [
        { type: 'app', pattern: 'apps/*', capture: ['name'] },
        { type: 'catalogue', pattern: 'libs/features/catalogue' },
        { type: 'feature', pattern: 'libs/features/*', capture: ['name'] },
        { type: 'shared-routes', pattern: 'libs/*/routes' },
        ...[
          'configuration',
          'contracts',
          'database',
          'http',
          'ledger',
          'mailbox',
          'messaging',
          'observability',
          'storage',
          'testing',
        ].map((name) => ({ type: name, pattern: `libs/${name}` })),
      ],
      'import/resolver': { typescript: { alwaysTryTypes: true } },
    },
    rules: {
      'boundaries/dependencies': [
        'error',
        {
          default: 'disallow',
          policies: [
            mayImport(
              'app',
              ...core,
              'database',
              'http',
              'storage',
              'mailbox',
              'shared-routes',
              'feature',
              'catalogue',
            ),
            itself('app'),
            // Features never import each other. They meet in events.
            mayImport('feature', ...core, 'database', 'http', 'storage', 'mailbox', 'shared-routes', 'catalogue'),
            itself('feature'),
            mayImport('catalogue', 'catalogue', 'contracts', 'feature'),
            mayImport('shared-routes', 'shared-routes', 'http', 'storage', 'mailbox', 'database', ...core),
            mayImport('http', 'http', 'storage', ...core),
            mayImport('storage', 'storage', 'database', ...core),
            mayImport('mailbox', 'mailbox', 'database', ...core),
            mayImport('database', 'database', 'ledger'),
            mayImport('testing', 'testing', 'database', 'messaging', 'ledger', 'contracts', 'configuration'),
            // The core knows no use case and no client with the tables of use cases.
            mayImport('observability', 'observability', 'messaging', 'configuration'),
            mayImport('messaging', 'messaging', 'ledger', 'contracts', 'configuration'),
            mayImport('configuration', 'configuration', 'contracts'),
            mayImport('ledger', 'ledger', 'contracts'),
            mayImport('contracts', 'contracts'),
          ],
        },
      ],
    },
  },
  {
    // The web client knows the API by its OpenAPI document, as any other client does.
    files: ['apps/web/src/**/*.{ts,tsx}'],
    extends: [reactHooks.configs.flat.recommended],
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: [{ regex: '^@app/', message: 'What the client needs, the API says.' }] },
      ],
    },
  },
  {
    // Pipeline, settle, bus and handlers know the port, and no broker.
    files: ['libs/messaging/src/**/*.ts', 'apps/*-worker/src/**/*.ts', 'apps/relay/src/**/*.ts'],
    ignores: ['libs/messaging/src/drivers/**', 'libs/messaging/src/index.ts', '**/*.spec.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        noBroker(`Literal[value=/^${namesBroker}/i]`),
        noBroker(`TemplateElement[value.raw=/^${namesBroker}/is]`),
        noBroker(`Identifier[name=/${brokers}/i]`),
      ],
      'no-restricted-imports': noDriver('(^|/)drivers/'),
    },
  },
  {
    // Modules put together what is configured, whatever it is; and what it can do is data.
    files: ['libs/messaging/src/worker/worker.module.ts', 'libs/messaging/src/producer/jobs.service.ts'],
    rules: { 'no-restricted-imports': noDriver('(^|/)drivers/(?!configured-drivers$)') },
  },
  {
    // What is made for tests is for tests.
    files: ['apps/**/*.spec.ts', 'libs/**/*.spec.ts'],
    rules: { 'boundaries/dependencies': 'off' },
  },
  {
    files: ['**/*.js', '**/*.mjs', '**/*.cjs'],
    languageOptions: {
      globals: {
        process: 'readonly',
        fetch: 'readonly',
        module: 'writable',
        require: 'readonly',
        console: 'readonly',
        __dirname: 'readonly',
      },
    },
  },
);
