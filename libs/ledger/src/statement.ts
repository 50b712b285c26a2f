import type { QueryResultRow } from 'pg';
import type { Transaction } from './transaction';

/** A pool, or one client of it inside a transaction. */
export interface Database {
  query(config: { name: string; text: string; values: unknown[] }): Promise<{ rows: unknown[] }>;
}

/** What a caller passes for each type of PostgreSQL. */
interface Scalars {
  readonly uuid: string;
  readonly text: string;
  readonly smallint: number;
  readonly int: number;
  readonly bigint: string | bigint | number;
  readonly float8: number;
  readonly boolean: boolean;
  readonly timestamptz: Date | string;
  readonly bytea: Uint8Array;
  /** JSON text. */
  readonly jsonb: string;
  readonly job_state: string;
  readonly pg_snapshot: string;
}

type Scalar = keyof Scalars;

/**
 * A type of PostgreSQL. `?` stands for null: `text?` is a text or null, `text?[]` an array with null elements, `text[]?`
 * an array or null.
 */
type ParameterType = `${Scalar}${'' | '?' | '[]' | '?[]' | '[]?'}`;

/** The parameters of a statement by name. The first key is `$1`. */
type ParameterTypes = Readonly<Record<string, ParameterType>>;

type Value<Type extends ParameterType> = Type extends Scalar
  ? Scalars[Type]
  : Type extends `${infer Name extends Scalar}?`
    ? Scalars[Name] | null | undefined
    : Type extends `${infer Name extends Scalar}[]`
      ? readonly Scalars[Name][]
      : Type extends `${infer Name extends Scalar}?[]`
        ? readonly (Scalars[Name] | null)[]
        : Type extends `${infer Name extends Scalar}[]?`
          ? readonly Scalars[Name][] | null | undefined
          : never;

type Values<Declared extends ParameterTypes> = { readonly [Name in keyof Declared]: Value<Declared[Name]> };

/** The SQL of the parameters, such as `$1::uuid[]`. */
export type Placeholders<Declared extends ParameterTypes> = { readonly [Name in keyof Declared]: string };

/**
 * A frequently used statement. Its name makes it a prepared statement: each connection parses it once.
 * @typeParam Row the columns of each returned row
 * @typeParam Arguments the values of the parameters by name; empty when the statement has no parameters
 */
class Statement<Row extends QueryResultRow, Arguments extends readonly [] | readonly [object]> {
  private readonly keys: readonly string[];

  constructor(
    readonly name: string,
    readonly parameters: ParameterTypes,
    readonly text: string,
  ) {
    this.keys = Object.keys(parameters);
    const unused = this.keys.find((_, place) => !new RegExp(`\\$${place + 1}(?!\\d)`).test(text));
    if (unused !== undefined) throw new RangeError(`The statement ${name} does not use its parameter ${unused}.`);
  }

  /**
   * @returns the rows
   * @throws the error of PostgreSQL; see `isDatabaseUnavailable`
   */
  async run(database: Database, ...given: Arguments): Promise<Row[]> {
    const values = (given[0] ?? {}) as Readonly<Record<string, unknown>>;
    const { rows } = await database.query({
      name: this.name,
      text: this.text,
      values: this.keys.map((key) => values[key] ?? null),
    });
    return rows as Row[];
  }
}

const created: Pick<Statement<QueryResultRow, []>, 'name' | 'parameters' | 'text'>[] = [];

/** @returns every statement that this process has created */
export function allStatements(): typeof created {
  return [...created];
}

/**
 * Begins a statement. Create statements when their module loads, because `allStatements` keeps them.
 * @typeParam Row the columns of each returned row
 * @example
 * const cancel = statement<{ id: string }>('cancel').with(
 *   { ids: 'uuid[]', reason: 'text?' },
 *   ($) => `UPDATE run SET reason = ${$.reason} WHERE id = ANY (${$.ids}) RETURNING id`,
 * );
 * const rows = await cancel.run(database, { ids, reason });
 */
export function statement<Row extends QueryResultRow>(name: string) {
  return {
    /**
     * @param parameters their types
     * @param text gets the SQL of each parameter: a number and a cast, such as `$1::uuid[]`
     * @throws RangeError when the text does not use a parameter
     */
    with<const Declared extends ParameterTypes>(
      parameters: Declared,
      text: ($: Placeholders<Declared>) => string,
    ): Statement<Row, [Values<Declared>]> {
      const placeholders = Object.entries(parameters).map(([key, type], place) => [
        key,
        `$${place + 1}::${type.replace('?', '')}`,
      ]);
      return add(new Statement(name, parameters, text(Object.fromEntries(placeholders) as Placeholders<Declared>)));
    },

    /** For a statement without parameters. */
    text: (text: string): Statement<Row, []> => add(new Statement(name, {}, text)),
  };
}

function add<Created extends (typeof created)[number]>(statement: Created): Created {
  created.push(statement);
  return statement;
}

/** Adapts a Prisma transaction to run these statements in it. Returns bytes as Uint8Array. */
export function inTransaction(tx: Pick<Transaction, '$queryRawUnsafe'>): Database {
  return { query: async ({ text, values }) => ({ rows: await tx.$queryRawUnsafe<unknown[]>(text, ...values) }) };
}
