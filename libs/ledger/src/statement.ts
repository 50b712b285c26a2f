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

type NoParameters = Readonly<Record<never, ParameterType>>;

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

const created: Statement<QueryResultRow, ParameterTypes>[] = [];

/** @returns every statement that this process has loaded */
export function allStatements(): readonly Statement<QueryResultRow, ParameterTypes>[] {
  return created;
}

/**
 * A frequently used statement. Its name makes it a prepared statement: each connection parses it once. Create it when
 * its module loads: `allStatements` keeps it.
 * @typeParam Row the columns of each returned row
 * @example
 * const endStatement = statement<never>('end').with({ ids: 'uuid[]' }, ($) => `DELETE FROM run WHERE id = ANY(${$.ids})`);
 * await endStatement.run(database, { ids });
 */
export function statement<Row extends QueryResultRow>(name: string) {
  return {
    /**
     * @param parameters their types by name
     * @param text gets the SQL of each parameter, such as `$1::uuid[]`
     * @throws RangeError when the text does not use a parameter: PostgreSQL refuses such a statement
     */
    with<const Declared extends ParameterTypes>(
      parameters: Declared,
      text: ($: Placeholders<Declared>) => string,
    ): Statement<Row, Declared> {
      return new Statement(name, parameters, text);
    },

    /** For a statement without parameters. */
    text(text: string): Statement<Row, NoParameters> {
      return new Statement(name, {}, () => text);
    },
  };
}

class Statement<Row extends QueryResultRow, Declared extends ParameterTypes> {
  readonly text: string;
  /** The types of $1, $2, … without the marks for null. */
  readonly types: readonly string[];
  private readonly keys: readonly (keyof Declared & string)[];

  constructor(
    readonly name: string,
    parameters: Declared,
    text: ($: Placeholders<Declared>) => string,
  ) {
    this.keys = Object.keys(parameters);
    this.types = Object.values(parameters).map((type) => type.replace('?', ''));
    const placeholders = this.keys.map((key, place) => [key, `$${place + 1}::${this.types[place]!}`]);
    this.text = text(Object.fromEntries(placeholders) as Placeholders<Declared>);
    const unused = this.keys.find((_, place) => !new RegExp(`\\$${place + 1}(?!\\d)`).test(this.text));
    if (unused !== undefined) throw new RangeError(`Statement ${name}: the text does not use the parameter ${unused}.`);
    created.push(this as unknown as Statement<QueryResultRow, ParameterTypes>);
  }

  /**
   * @param values the parameters by name; a statement without parameters takes none
   * @returns the rows
   * @throws the error of PostgreSQL; see `isDatabaseUnavailable`
   */
  async run(database: Database, ...[values]: keyof Declared extends never ? [] : [Values<Declared>]): Promise<Row[]> {
    const { rows } = await database.query({
      name: this.name,
      text: this.text,
      values: this.keys.map((key) => values![key] ?? null),
    });
    return rows as Row[];
  }
}

/** Adapts a Prisma transaction to run these statements in it. Returns bytes as Uint8Array. */
export function inTransaction(tx: Pick<Transaction, '$queryRawUnsafe'>): Database {
  return { query: async ({ text, values }) => ({ rows: await tx.$queryRawUnsafe<unknown[]>(text, ...values) }) };
}
