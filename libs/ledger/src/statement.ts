import type { QueryResultRow } from 'pg';
import type { Transaction } from './transaction';

/** A pool, or one client of it inside a transaction. */
export interface Database {
  query(config: { name: string | undefined; text: string; values: unknown[] }): Promise<{ rows: unknown[] }>;
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

type OrNull = { readonly [Name in Scalar as `${Name}?`]: Scalars[Name] | null | undefined };
type Arrays = { readonly [Name in Scalar as `${Name}[]`]: readonly Scalars[Name][] };
type ArraysWithNull = { readonly [Name in Scalar as `${Name}?[]`]: readonly (Scalars[Name] | null | undefined)[] };
type ArraysOrNull = { readonly [Name in Scalar as `${Name}[]?`]: readonly Scalars[Name][] | null | undefined };

/** `?` stands for null: `text?` is a text or null, `text?[]` an array with null elements, `text[]?` an array or null. */
type Types = Scalars & OrNull & Arrays & ArraysWithNull & ArraysOrNull;

/** The parameters of a statement by name. The first key is `$1`. */
type ParameterTypes = Readonly<Record<string, keyof Types>>;

type Values<Declared extends ParameterTypes> = { readonly [Name in keyof Declared]: Types[Declared[Name]] };

/** The SQL of the parameters, such as `$1::uuid[]`. */
export type Placeholders<Declared extends ParameterTypes> = { readonly [Name in keyof Declared]: string };

/**
 * A statement with typed parameters. A name makes it a prepared statement: each connection parses it once.
 * @typeParam Row the columns of each returned row
 * @typeParam Arguments the values of the parameters by name; empty when the statement has no parameters
 */
class Statement<Row extends QueryResultRow, Arguments extends readonly [] | readonly [object]> {
  private readonly keys: readonly string[];

  constructor(
    readonly name: string | undefined,
    readonly parameters: ParameterTypes,
    readonly text: string,
  ) {
    this.keys = Object.keys(parameters);
    const unused = this.keys.find((_, place) => !new RegExp(`\\$${place + 1}(?!\\d)`).test(text));
    if (unused !== undefined)
      throw new RangeError(`The statement ${name ?? text} does not use its parameter ${unused}.`);
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

/** @returns every statement with a name that this process has created */
export function allStatements() {
  return created.filter((one): one is typeof one & { readonly name: string } => one.name !== undefined);
}

/**
 * Begins a statement. Create statements when their module loads, because `allStatements` keeps them.
 * @param name undefined for a command that PREPARE does not take, such as the declaration of a cursor
 * @typeParam Row the columns of each returned row
 * @example
 * const cancel = statement<{ id: string }>('cancel').with(
 *   { ids: 'uuid[]', reason: 'text?' },
 *   ($) => `UPDATE run SET reason = ${$.reason} WHERE id = ANY (${$.ids}) RETURNING id`,
 * );
 * const rows = await cancel.run(database, { ids, reason });
 */
export function statement<Row extends QueryResultRow>(name: string | undefined) {
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

/**
 * Begins a statement for each combination of optional parameters, so that the plan that PostgreSQL keeps has no unused
 * part.
 * @param nameOf the name of the statement that has these optional parameters
 */
export function statementVariants<Row extends QueryResultRow>(nameOf: (given: readonly string[]) => string) {
  return {
    /** @param text gets no SQL for an optional parameter that its statement does not have */
    with<const Required extends ParameterTypes, const Optional extends ParameterTypes>(
      required: Required,
      optional: Optional,
      text: ($: Placeholders<Required> & Partial<Placeholders<Optional>>) => string,
    ) {
      const keys = Object.keys(optional);
      const combinations = keys.reduce<string[][]>((sets, key) => [...sets, ...sets.map((set) => [...set, key])], [[]]);
      const variants = new Map(
        combinations.map((given) => {
          const parameters: Required = { ...required, ...Object.fromEntries(given.map((key) => [key, optional[key]])) };
          return [
            nameOf(given),
            statement<Row>(nameOf(given)).with(parameters, text as ($: Placeholders<Required>) => string),
          ];
        }),
      );
      return {
        /** Runs the statement that has exactly the optional parameters whose values are not undefined. */
        run: (
          database: Database,
          values: Values<Required> & { [Name in keyof Optional]?: Types[Optional[Name]] | undefined },
        ) => variants.get(nameOf(keys.filter((key) => values[key] !== undefined)))!.run(database, values),
      };
    },
  };
}

function add<Created extends (typeof created)[number]>(statement: Created): Created {
  created.push(statement);
  return statement;
}

/**
 * Turns rows into columns: the arrays that a statement reads with `unnest`.
 * @returns for each key, its value in each row, in the order of the rows; null for undefined
 * @example
 * columnsOf(jobs, 'id', 'dispatch'); // { id: ['a', 'b'], dispatch: [1, 2] }
 */
export function columnsOf<Row extends object, Key extends keyof Row>(rows: readonly Row[], ...keys: readonly Key[]) {
  return Object.fromEntries(keys.map((key) => [key, rows.map((row) => row[key] ?? null)])) as {
    [Name in Key]: Row[Name][];
  };
}

/** Adapts a Prisma transaction to run these statements in it. Returns bytes as Uint8Array. */
export function inTransaction(tx: Pick<Transaction, '$queryRawUnsafe'>): Database {
  return { query: async ({ text, values }) => ({ rows: await tx.$queryRawUnsafe<unknown[]>(text, ...values) }) };
}
